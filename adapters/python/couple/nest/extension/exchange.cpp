// SPDX-License-Identifier: GPL-2.0-or-later

#include "exchange.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <tuple>

#include "nodes.hpp"
#include "plastic.hpp"

namespace couple {
namespace {

[[noreturn]] void stop(const std::string& message) { throw std::runtime_error(message); }

std::string ms(std::int64_t ns) {
  std::string digits = std::to_string(ns % 1000000 < 0 ? -(ns % 1000000) : ns % 1000000);
  digits.insert(0, 6 - digits.size(), '0');
  return std::to_string(ns / 1000000) + "." + digits + " ms";
}

}  // namespace

void Table::seal(std::uint32_t width) {
  first.assign(static_cast<std::size_t>(width) + 1, 0);
  for (std::uint32_t source : staged_source) ++first[source + 1];
  for (std::size_t i = 0; i < width; ++i) first[i + 1] += first[i];
  std::vector<std::uint64_t> next(first.begin(), first.end() - 1);
  synapses.resize(staged.size());
  for (std::size_t i = 0; i < staged.size(); ++i) synapses[next[staged_source[i]]++] = staged[i];
  staged_source = {};
  staged = {};
}

void Exchange::open(couple_session* session, std::int64_t step_ns, std::int64_t sync) {
  session_ = session;
  sync_ = static_cast<std::size_t>(sync);
  step_ns_ = step_ns;
  collected_ = std::vector<PerThread>(nest::kernel().vp_manager.get_num_threads());
}

std::uint32_t Exchange::add_output(std::uint32_t id, std::size_t n, const std::uint32_t* indices) {
  const std::uint32_t first = static_cast<std::uint32_t>(receptors_.size() + 1);  // NEST's 0 means none
  for (std::size_t i = 0; i < n; ++i) receptors_.push_back({id, indices[i]});
  return first;
}

std::uint32_t Exchange::add_channel(Channel::Kind kind, std::uint32_t id, std::uint32_t width,
                                    std::int64_t min_delay_ns) {
  if (min_delay_ns < step_ns_ || min_delay_ns % step_ns_ != 0) {
    stop("the shortest delay of an input, " + ms(min_delay_ns) + ", is no whole number of steps of " + ms(step_ns_));
  }
  Channel channel{kind, id, width, min_delay_ns / step_ns_, {}, {}, {}};
  channel.tables.resize(collected_.size());
  channels_.push_back(std::move(channel));
  has_stimuli_ = has_stimuli_ || kind == Channel::Kind::stimulus;
  return static_cast<std::uint32_t>(channels_.size() - 1);
}

void Exchange::add_synapses(std::uint32_t channel_id, std::size_t n, const std::uint32_t* source,
                            const std::int64_t* target, const double* weight, const std::int64_t* delay_ns,
                            std::int64_t receptor) {
  Channel& channel = channels_.at(channel_id);
  nest::SpikeEvent probe;
  // Synapses come ordered by target, mostly: what was found for the last one holds for the next.
  std::int64_t last = -1;
  nest::Node* node = nullptr;
  std::size_t thread = 0;
  std::int32_t rport = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (target[i] != last) {
      last = target[i];
      std::tie(node, thread) = find_neuron(target[i], channel.tables.size());
      rport = static_cast<std::int32_t>(node->handles_test_event(probe, static_cast<std::size_t>(receptor)));
    }
    check(channel, source[i], delay_ns[i]);
    const std::int64_t delay = delay_ns[i] / step_ns_;
    Table& table = channel.tables[thread];
    table.staged_source.push_back(source[i]);
    table.staged.push_back({node, weight[i], static_cast<std::int32_t>(delay), rport});
  }
}

void Exchange::check(const Channel& channel, std::uint32_t source, std::int64_t delay_ns) const {
  if (source >= channel.width) {
    stop("a synapse comes from index " + std::to_string(source) + " of a source of " + std::to_string(channel.width));
  }
  const std::int64_t delay = delay_ns / step_ns_;
  if (delay_ns % step_ns_ != 0 || delay < channel.min_delay_steps || delay > std::numeric_limits<std::int32_t>::max()) {
    stop("a synapse has the delay " + ms(delay_ns) + ", but the input's shortest is " +
         ms(channel.min_delay_steps * step_ns_) + " and the step is " + ms(step_ns_));
  }
}

void Exchange::add_plastic_synapses(std::uint32_t channel_id, std::size_t n, const std::uint32_t* source,
                                    const std::int64_t* target, const double* weight, const std::int64_t* delay_ns,
                                    std::int64_t receptor, const Plasticity& plasticity, std::int64_t anchor_id) {
  Channel& channel = channels_.at(channel_id);
  const std::size_t threads = channel.tables.size();
  nest::Node& anchor = *find_neuron(anchor_id, threads).first;
  const auto add = [&](auto prototype) {
    std::vector<PlasticRows<decltype(prototype)>*> rows(threads, nullptr);
    for (std::size_t i = 0; i < n; ++i) {
      check(channel, source[i], delay_ns[i]);
      const std::int64_t delay = delay_ns[i] / step_ns_;
      const auto [node, thread] = find_neuron(target[i], threads);
      if (!rows[thread]) {
        auto made = std::make_unique<PlasticRows<decltype(prototype)>>();
        rows[thread] = made.get();
        channel.tables[thread].plastic.push_back(std::move(made));
      }
      auto synapse = prototype;
      // Spikes of this channel are handed over later than those within NEST by up to its shortest delay: a neuron keeps
      // its history as long as if the delay were longer by that.
      synapse.set_delay_steps(delay + channel.min_delay_steps);
      synapse.check_connection(anchor, *node, static_cast<std::size_t>(receptor), {});
      synapse.set_delay_steps(delay);
      synapse.set_weight(weight[i]);
      rows[thread]->add(source[i], synapse);
      longest_plastic_ = std::max(longest_plastic_, delay);
      shortest_plastic_ = std::min(shortest_plastic_, delay);
    }
  };
  if (plasticity.kind == Plasticity::Kind::stdp) {
    add(stdp_prototype(plasticity.parameters));
  } else {
    add(tsodyks_markram_prototype(plasticity.parameters));
  }
}

void Exchange::add_readings(std::vector<Readings::Variable> variables, const std::vector<std::int64_t>& nodes) {
  signals_.add_readings(std::move(variables), nodes, static_cast<std::int64_t>(sync_), collected_.size());
}

void Exchange::add_drive(std::uint32_t signal, const std::string& parameter, double scale,
                         const std::vector<std::int64_t>& nodes) {
  signals_.add_drive(Drive(signal, parameter, scale, nodes, collected_.size()));
}

void Exchange::seal(std::int64_t slice_steps) {
  slice_steps_ = slice_steps;
  const long min_delay = nest::kernel().connection_manager.get_min_delay();
  const long max_delay = nest::kernel().connection_manager.get_max_delay();
  if (min_delay != slice_steps) {
    stop("NEST's slice is " + ms(min_delay * step_ns_) + ", not the " + ms(slice_steps * step_ns_) + " asked for");
  }
  if (nest::kernel().vp_manager.get_num_threads() != collected_.size()) {
    stop("the number of NEST's threads was changed after couple was set up");
  }
  if (shortest_plastic_ < slice_steps || longest_plastic_ > max_delay) {
    stop("delays of plastic synapses, from " + ms(shortest_plastic_ * step_ns_) + " to " + ms(longest_plastic_ * step_ns_) +
         ", do not fit NEST's slice and longest delay, " + ms(slice_steps * step_ns_) + " and " + ms(max_delay * step_ns_));
  }
  for (Channel& channel : channels_) {
    for (Table& table : channel.tables) {
      for (auto& rows : table.plastic) rows->seal(channel.width);
      for (const Synapse& synapse : table.staged) {
        if (synapse.delay_steps > max_delay) {
          stop("a synapse has the delay " + ms(synapse.delay_steps * step_ns_) + ", longer than NEST's longest, " +
               ms(max_delay * step_ns_));
        }
      }
      table.seal(channel.width);
    }
  }
  barrier_ = std::make_unique<std::barrier<>>(static_cast<std::ptrdiff_t>(collected_.size()));
}

void Exchange::fail(const std::string& message) {
  const std::lock_guard<std::mutex> lock(error_mutex_);
  if (error_.empty()) error_ = message;
  failed_ = true;
}

std::string Exchange::error() {
  const std::lock_guard<std::mutex> lock(error_mutex_);
  return error_;
}

void Exchange::collect(std::size_t thread, std::size_t receptor, std::int64_t time_ns, std::size_t multiplicity) {
  const Sender& sender = receptors_[receptor - 1];
  for (std::size_t i = 0; i < multiplicity; ++i) {
    collected_[thread].spikes.push_back({sender.output, sender.index, time_ns});
  }
}

void Exchange::before_slice(nest::Node& sync, std::int64_t begin, std::int64_t end) {
  const std::size_t thread = sync.get_thread();
  if (begin > 0) read_signals(thread, sync);
  // All threads see the same `window_end_`: thread 0 changes it only while the others are between the barriers.
  const bool window_starts = begin == window_end_;
  if (window_starts || has_stimuli_) {
    barrier_->arrive_and_wait();
    if (thread == 0 && !failed_) {
      try {
        if (window_starts) exchange(begin);
        if (has_stimuli_) fetch_stimuli(begin, end);
      } catch (const std::exception& e) {
        fail(e.what());
      }
    }
    barrier_->arrive_and_wait();
    // Every thread leaves here, so that none waits for another in NEST.
    if (failed_) throw nest::KernelException(error());
  }
  for (const Channel& channel : channels_) deliver(thread, channel, begin);
  signals_.deliver(thread, begin, end);
}

void Exchange::read_signals(std::size_t thread, nest::Node& sync) {
  try {
    signals_.ask(thread, sync);
  } catch (const std::exception& e) {
    fail(e.what());
  }
}

void Exchange::exchange(std::int64_t begin) {
  emit_collected();
  if (begin > 0) signals_.write(session_);
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
  const int more = couple_next_window(session_, &start_ns, &end_ns);
  if (more < 0) stop(session_error("the exchange failed"));
  if (more == 0) stop("the run ended at " + ms(begin * step_ns_) + ", but NEST simulates on");
  if (start_ns != begin * step_ns_ || end_ns <= start_ns || end_ns % step_ns_ != 0) {
    stop("the window (" + ms(start_ns) + ", " + ms(end_ns) + "] does not fit NEST, which is at " +
         ms(begin * step_ns_) + " with steps of " + ms(step_ns_));
  }
  window_begin_ = begin;
  window_end_ = end_ns / step_ns_;
  emit_recorded(start_ns, end_ns);
  fetch_links(begin);
  signals_.begin_window(session_, window_begin_, window_end_);
}

void Exchange::emit_collected() {
  for (PerThread& of_thread : collected_) {
    for (const Emitted& spike : of_thread.spikes) {
      if (couple_emit(session_, spike.output, spike.index, spike.time_ns) < 0) stop(session_error("a spike was refused"));
    }
    of_thread.spikes.clear();
  }
}

void Exchange::emit_recorded(std::int64_t from_ns, std::int64_t to_ns) {
  for (const Recorded& recorded : recorded_) {
    const couple_spike* events = nullptr;
    const std::int64_t n = couple_stimulus(session_, recorded.population, from_ns, to_ns, &events);
    if (n < 0) stop(session_error("a stimulus could not be made"));
    for (std::int64_t i = 0; i < n; ++i) {
      if (events[i].index < recorded.first || events[i].index - recorded.first >= recorded.count) continue;
      for (std::uint32_t k = 0; k < events[i].count; ++k) {
        if (couple_emit(session_, recorded.output, events[i].index, events[i].time_ns) < 0) {
          stop(session_error("a spike was refused"));
        }
      }
    }
  }
}

/// A spike between two steps counts as of the later one: a simulator on a grid cannot act earlier than it happened.
std::int64_t Exchange::step_at_or_after(std::int64_t ns) const {
  return ns >= 0 ? (ns + step_ns_ - 1) / step_ns_ : -(-ns / step_ns_);
}

void Exchange::fetch_links(std::int64_t begin) {
  for (Channel& channel : channels_) {
    if (channel.kind != Channel::Kind::link) continue;
    const couple_spike* events = nullptr;
    const std::int64_t n = couple_input_events(session_, channel.id, &events);
    if (n < 0) stop(session_error("the events of an input could not be read"));
    deal(channel, events, static_cast<std::size_t>(n), begin);
  }
}

/// Orders a window's events by the slice in which they are handed to their targets: that in which stamp plus
/// shortest delay falls.
void Exchange::deal(Channel& channel, const couple_spike* events, std::size_t n, std::int64_t begin) {
  const std::int64_t length = window_end_ - begin;
  const std::size_t slices = static_cast<std::size_t>((length + slice_steps_ - 1) / slice_steps_);
  const auto slice_of = [&](const couple_spike& event) {
    const std::int64_t after = step_at_or_after(event.time_ns) + channel.min_delay_steps - begin;
    if (after < 1 || after > length || event.index >= channel.width) {
      stop("an event of index " + std::to_string(event.index) + " stamped " + ms(event.time_ns) +
           (after < 1 ? " is late: with the shortest delay of " : " does not belong here: with the shortest delay of ") +
           ms(channel.min_delay_steps * step_ns_) + " it acts outside the window (" + ms(begin * step_ns_) + ", " +
           ms(window_end_ * step_ns_) + "]");
    }
    return static_cast<std::size_t>((after - 1) / slice_steps_);
  };
  channel.slice_first.assign(slices + 1, 0);
  for (std::size_t i = 0; i < n; ++i) ++channel.slice_first[slice_of(events[i]) + 1];
  for (std::size_t s = 0; s < slices; ++s) channel.slice_first[s + 1] += channel.slice_first[s];
  channel.due.resize(n);
  std::vector<std::size_t> next(channel.slice_first.begin(), channel.slice_first.end() - 1);
  for (std::size_t i = 0; i < n; ++i) channel.due[next[slice_of(events[i])]++] = events[i];
}

void Exchange::fetch_stimuli(std::int64_t begin, std::int64_t end) {
  for (Channel& channel : channels_) {
    if (channel.kind != Channel::Kind::stimulus) continue;
    channel.due.clear();
    const std::int64_t from = std::max<std::int64_t>(begin - channel.min_delay_steps, 0) * step_ns_;
    const std::int64_t to = (end - channel.min_delay_steps) * step_ns_;
    if (to <= from) continue;
    const couple_spike* events = nullptr;
    const std::int64_t n = couple_stimulus(session_, channel.id, from, to, &events);
    if (n < 0) stop(session_error("a stimulus could not be made"));
    channel.due.assign(events, events + n);
  }
}

void Exchange::deliver(std::size_t thread, const Channel& channel, std::int64_t begin) const {
  const Table& table = channel.tables[thread];
  if ((table.synapses.empty() && table.plastic.empty()) || channel.due.empty()) return;
  const couple_spike* event = channel.due.data();
  const couple_spike* end = event + channel.due.size();
  if (channel.kind == Channel::Kind::link) {
    const std::size_t slice = static_cast<std::size_t>((begin - window_begin_) / slice_steps_);
    event = channel.due.data() + channel.slice_first[slice];
    end = channel.due.data() + channel.slice_first[slice + 1];
  }
  nest::SpikeEvent spike;
  for (; event != end; ++event) {
    const std::uint64_t first = table.first[event->index];
    const std::uint64_t last = table.first[event->index + 1];
    if (first == last && table.plastic.empty()) continue;
    spike.set_stamp(nest::Time::step(step_at_or_after(event->time_ns)));
    spike.set_multiplicity(event->count);
    for (std::uint64_t i = first; i < last; ++i) {
      const Synapse& synapse = table.synapses[i];
      spike.set_weight(synapse.weight);
      spike.set_delay_steps(synapse.delay_steps);
      spike.set_rport(static_cast<std::size_t>(synapse.rport));
      spike.set_receiver(*synapse.target);
      synapse.target->handle(spike);
    }
    // One by one: each changes the state that the next one finds.
    spike.set_multiplicity(1);
    for (const auto& rows : table.plastic) {
      for (std::uint32_t k = 0; k < event->count; ++k) rows->send(event->index, spike, thread);
    }
  }
}

void Exchange::finish(bool undelivered) {
  if (failed_) stop(error());
  if (undelivered) {
    // NEST does this when the next slice begins, but there is none.
    for (std::size_t thread = 0; thread < collected_.size(); ++thread) {
      nest::kernel().event_delivery_manager.deliver_events(thread);
    }
  }
  emit_collected();
  if (signals_.read_anything()) {
    for (std::size_t thread = 0; thread < collected_.size(); ++thread) {
      signals_.ask(thread, *nest::kernel().node_manager.get_node_or_proxy(sync_, thread));
    }
    signals_.write(session_);
  }
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
  const int more = couple_next_window(session_, &start_ns, &end_ns);
  if (more < 0) stop(session_error("the last exchange failed"));
  if (more > 0) stop("NEST stopped at " + ms(start_ns) + ", before the end of the run");
  if (couple_finish(session_) < 0) stop(session_error("the run could not be ended"));
}

}  // namespace couple
