// SPDX-License-Identifier: GPL-2.0-or-later
//
// What happens between two time slices of NEST: spikes of the slice that ended go out, events of the slice to come
// are handed to their targets.
//
//      slice k-1            |  exchange (on the sync node's update)        |  slice k
//      neurons ── spikes ──►│ collected ─► couple_emit, couple_next_window │
//                           │ channels: input links, stimuli ─► due events │──► Node::handle on the target's thread
//
// Slices divide windows. The session is asked at the start of a window only; a window's events are dealt into its
// slices, so that NEST's ring buffers need not be longer than the longest delay. All times are whole numbers of
// steps or nanoseconds; no time is ever a floating-point number here.

#pragma once

#include <atomic>
#include <barrier>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nest_extension_interface.h"

#include "couple.h"
#include "signals.hpp"

namespace couple {

/// A synapse of a source outside NEST, as its target's thread keeps it.
struct Synapse {
  nest::Node* target;
  double weight;
  std::int32_t delay_steps;
  std::int32_t rport;
};

/// Plastic synapses of one channel and projection onto one thread's neurons, by source index: NEST's own connections,
/// which have their state and change it as they send a spike.
class Plastic {
 public:
  virtual ~Plastic() = default;
  virtual void seal(std::uint32_t width) = 0;
  /// Sends `spike`, whose stamp is set, through all synapses of `source`.
  virtual void send(std::uint32_t source, nest::SpikeEvent& spike, std::size_t thread) = 0;
};

/// The parameters that the plastic synapses of a projection share.
struct Plasticity {
  enum class Kind : std::uint32_t { tsodyks_markram = 0, stdp = 1 };
  Kind kind;
  std::vector<double> parameters;  // in the order of plasticity.py
};

/// Synapses of one channel onto one thread's neurons, by source index.
struct Table {
  std::vector<std::unique_ptr<Plastic>> plastic;
  std::vector<std::uint64_t> first;  // width + 1 positions in `synapses`
  std::vector<Synapse> synapses;
  // Until `seal`: in order of arrival.
  std::vector<std::uint32_t> staged_source;
  std::vector<Synapse> staged;

  void seal(std::uint32_t width);
};

/// A stream of spikes from outside: an input link or a stimulus population.
struct Channel {
  enum class Kind { link, stimulus };
  Kind kind;
  std::uint32_t id;      // input position, or population
  std::uint32_t width;   // number of source indices
  std::int64_t min_delay_steps;
  std::vector<Table> tables;             // one for each thread
  std::vector<couple_spike> due;         // events of the window, ordered by slice; of the slice for a stimulus
  std::vector<std::size_t> slice_first;  // first event of each slice in `due`, and the end
};

/// A stimulus population of this component whose spikes are recorded.
struct Recorded {
  std::uint32_t population;
  std::uint32_t output;
  std::uint32_t first;  // block of this rank
  std::uint32_t count;
};

/// A neuron of an output port.
struct Sender {
  std::uint32_t output;
  std::uint32_t index;
};

/// A spike of a local neuron, waiting to be sent.
struct Emitted {
  std::uint32_t output;
  std::uint32_t index;
  std::int64_t time_ns;
};

/// The exchange of this process. NEST holds one network per process, so there is one of it.
class Exchange {
 public:
  /// `sync`: the id of the sync node.
  void open(couple_session* session, std::int64_t step_ns, std::int64_t sync);
  std::uint32_t add_output(std::uint32_t id, std::size_t n, const std::uint32_t* indices);
  std::uint32_t add_channel(Channel::Kind kind, std::uint32_t id, std::uint32_t width, std::int64_t min_delay_ns);
  void add_recorded(const Recorded& recorded) { recorded_.push_back(recorded); }
  void add_synapses(std::uint32_t channel, std::size_t n, const std::uint32_t* source, const std::int64_t* target,
                    const double* weight, const std::int64_t* delay_ns, std::int64_t receptor);
  /// The same with plastic synapses. `anchor` is a node that can send spikes; NEST checks connections with it.
  void add_plastic_synapses(std::uint32_t channel, std::size_t n, const std::uint32_t* source, const std::int64_t* target,
                            const double* weight, const std::int64_t* delay_ns, std::int64_t receptor,
                            const Plasticity& plasticity, std::int64_t anchor);
  /// Sends state variables of neurons, in the order of the columns.
  void add_readings(std::vector<Readings::Variable> variables, const std::vector<std::int64_t>& nodes);
  /// Drives neurons by a signal; see `Drive`.
  void add_drive(std::uint32_t signal, const std::string& parameter, double scale,
                 const std::vector<std::int64_t>& nodes);
  /// Ends the set-up: sorts the synapses, learns the number of threads and the slice.
  void seal(std::int64_t slice_steps);
  /// Sends the spikes of the last slice and says that the run is complete.
  void finish(bool undelivered);

  /// Called by each thread, with its sync node, before its neurons simulate the steps `(begin, end]`.
  void before_slice(nest::Node& sync, std::int64_t begin, std::int64_t end);
  /// Called with what a neuron has logged, on its thread.
  void take(const nest::DataLoggingReply& reply) { signals_.take(reply); }
  /// Called on the neuron's thread for each spike of a port.
  void collect(std::size_t thread, std::size_t receptor, std::int64_t time_ns, std::size_t multiplicity);

  std::size_t receptors() const { return receptors_.size(); }
  std::int64_t step_ns() const { return step_ns_; }
  void fail(const std::string& message);
  std::string error();

 private:
  void check(const Channel& channel, std::uint32_t source, std::int64_t delay_ns) const;
  void exchange(std::int64_t begin);
  void read_signals(std::size_t thread, nest::Node& sync);
  void emit_collected();
  void emit_recorded(std::int64_t from_ns, std::int64_t to_ns);
  void fetch_links(std::int64_t begin);
  void fetch_stimuli(std::int64_t begin, std::int64_t end);
  void deal(Channel& channel, const couple_spike* events, std::size_t n, std::int64_t begin);
  void deliver(std::size_t thread, const Channel& channel, std::int64_t begin) const;
  std::int64_t step_at_or_after(std::int64_t ns) const;

  couple_session* session_ = nullptr;
  std::size_t sync_ = 0;
  Signals signals_;
  std::int64_t step_ns_ = 0;
  std::int64_t slice_steps_ = 0;
  std::int64_t window_begin_ = 0;
  std::int64_t window_end_ = 0;  // steps; the first slice starts the first window
  bool has_stimuli_ = false;
  std::int64_t longest_plastic_ = 0;  // delay in steps
  std::int64_t shortest_plastic_ = std::numeric_limits<std::int64_t>::max();
  std::vector<Sender> receptors_;  // by receptor type - 1
  std::vector<Channel> channels_;
  std::vector<Recorded> recorded_;
  struct alignas(64) PerThread {
    std::vector<Emitted> spikes;
  };
  std::vector<PerThread> collected_;
  // Not OpenMP's barrier: the wheel brings its own OpenMP runtime, and threads here may wait long for a peer.
  std::unique_ptr<std::barrier<>> barrier_;
  std::atomic<bool> failed_{false};
  std::mutex error_mutex_;
  std::string error_;
};

}  // namespace couple
