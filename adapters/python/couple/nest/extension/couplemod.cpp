// SPDX-License-Identifier: GPL-2.0-or-later
//
// The NEST extension module: two node models, `couple_sync` and `couple_out`, and the C functions by which couple's
// Python package tells it what to exchange. The sync node is the first of all nodes, so that its `update` runs before
// the neurons' in each slice. The neurons of output ports are connected to the `couple_out` of their thread, or to the
// sync node itself; the receptor type says which neuron of which port it is.

#include <cmath>
#include <exception>

#include "exchange.hpp"
// One translation unit: NEST's headers take most of the time of the compilation.
#include "exchange.cpp"
#include "signals.cpp"

namespace couple {

Exchange& exchange() {
  static Exchange the_one;
  return the_one;
}

/// Takes a spike of a port's neuron, in whose slice it is.
void collect(nest::Node& node, const nest::SpikeEvent& event) {
  const std::int64_t before = std::llround(event.get_offset() * 1e6);  // 0 on the grid
  const std::int64_t time_ns = event.get_stamp().get_steps() * exchange().step_ns() - before;
  exchange().collect(node.get_thread(), event.get_rport(), time_ns, event.get_multiplicity());
}

size_t port_receptor(const nest::Node& node, size_t receptor) {
  if (receptor < 1 || receptor > exchange().receptors()) throw nest::UnknownReceptorType(receptor, node.get_name());
  return receptor;
}

/// A device with one replica on each thread: NEST hands it a spike at once, but takes long to find the way to a device.
class CoupleSync : public nest::DeviceNode {
 public:
  CoupleSync() = default;
  CoupleSync(const CoupleSync& other) : nest::DeviceNode(other) {}

  bool has_proxies() const override { return false; }
  bool local_receiver() const override { return true; }
  nest::SignalType receives_signal() const override { return nest::ALL; }

  using nest::Node::handle;
  using nest::Node::handles_test_event;

  size_t handles_test_event(nest::SpikeEvent&, size_t receptor) override { return port_receptor(*this, receptor); }
  void handle(nest::SpikeEvent& event) override { collect(*this, event); }
  void handle(nest::DataLoggingReply& reply) override { exchange().take(reply); }

  void update(const nest::Time& origin, const long from, const long to) override {
    exchange().before_slice(*this, origin.get_steps() + from, origin.get_steps() + to);
  }

  void pre_run_hook() override {}
  void get_status(Dictionary&) const override {}
  void set_status(const Dictionary&) override {}
};

/// A node like a neuron: it gets spikes as neurons do, at the end of the slice, on their way to other neurons.
class CoupleOut : public nest::Node {
 public:
  CoupleOut() = default;
  CoupleOut(const CoupleOut& other) : nest::Node(other) {}

  using nest::Node::handle;
  using nest::Node::handles_test_event;

  size_t handles_test_event(nest::SpikeEvent&, size_t receptor) override { return port_receptor(*this, receptor); }
  void handle(nest::SpikeEvent& event) override { collect(*this, event); }

  void init_buffers_() override {}
  void pre_run_hook() override {}
  void update(const nest::Time&, const long, const long) override {}
  void get_status(Dictionary&) const override {}
  void set_status(const Dictionary&) override {}
};

class Module : public nest::NESTExtensionInterface {
 public:
  // Called again when the number of threads changes; NEST has forgotten the models by then.
  void initialize() override {
    nest::register_node_model<CoupleSync>("couple_sync");
    nest::register_node_model<CoupleOut>("couple_out");
  }
};

/// Runs `f`; an exception becomes -1 and the text for `couple_nest_error`.
template <typename F>
std::int64_t guarded(F f) {
  try {
    return f();
  } catch (const std::exception& e) {
    exchange().fail(e.what());
    return -1;
  }
}

}  // namespace couple

couple::Module couplemod_LTX_module;

extern "C" {

std::int64_t couple_nest_open(couple_session* session, std::int64_t step_ns, std::int64_t sync) {
  return couple::guarded([&] {
    couple::exchange().open(session, step_ns, sync);
    return 0;
  });
}

/// Registers neurons of a port; returns the receptor type of the first, the others' follow it.
std::int64_t couple_nest_output(std::uint32_t output, std::size_t n, const std::uint32_t* indices) {
  return couple::guarded([&] { return couple::exchange().add_output(output, n, indices); });
}

std::int64_t couple_nest_input(std::uint32_t input, std::uint32_t width, std::int64_t min_delay_ns) {
  return couple::guarded(
      [&] { return couple::exchange().add_channel(couple::Channel::Kind::link, input, width, min_delay_ns); });
}

std::int64_t couple_nest_stimulus(std::uint32_t population, std::uint32_t width, std::int64_t min_delay_ns) {
  return couple::guarded(
      [&] { return couple::exchange().add_channel(couple::Channel::Kind::stimulus, population, width, min_delay_ns); });
}

std::int64_t couple_nest_record_stimulus(std::uint32_t population, std::uint32_t output, std::uint32_t first,
                                         std::uint32_t count) {
  return couple::guarded([&] {
    couple::exchange().add_recorded({population, output, first, count});
    return 0;
  });
}

std::int64_t couple_nest_synapses(std::uint32_t channel, std::size_t n, const std::uint32_t* source,
                                  const std::int64_t* target, const double* weight, const std::int64_t* delay_ns,
                                  std::int64_t receptor) {
  return couple::guarded([&] {
    couple::exchange().add_synapses(channel, n, source, target, weight, delay_ns, receptor);
    return 0;
  });
}

std::int64_t couple_nest_plastic_synapses(std::uint32_t channel, std::size_t n, const std::uint32_t* source,
                                          const std::int64_t* target, const double* weight, const std::int64_t* delay_ns,
                                          std::int64_t receptor, std::uint32_t kind, const double* parameters,
                                          std::size_t n_parameters, std::int64_t anchor) {
  return couple::guarded([&] {
    const couple::Plasticity plasticity{static_cast<couple::Plasticity::Kind>(kind),
                                        {parameters, parameters + n_parameters}};
    couple::exchange().add_plastic_synapses(channel, n, source, target, weight, delay_ns, receptor, plasticity, anchor);
    return 0;
  });
}

/// `n_variables` state variables of `n` nodes as output signals; `recordables` are NEST's names.
std::int64_t couple_nest_readings(std::size_t n_variables, const std::uint32_t* signals, const char* const* recordables,
                                  const double* scales, std::size_t n, const std::int64_t* nodes) {
  return couple::guarded([&] {
    std::vector<couple::Readings::Variable> variables;
    for (std::size_t i = 0; i < n_variables; ++i) variables.push_back({signals[i], recordables[i], scales[i]});
    couple::exchange().add_readings(std::move(variables), {nodes, nodes + n});
    return 0;
  });
}

/// An input signal onto `n` nodes; `parameter` is NEST's name of one, or empty for an injected current.
std::int64_t couple_nest_drive(std::uint32_t signal, const char* parameter, double scale, std::size_t n,
                               const std::int64_t* nodes) {
  return couple::guarded([&] {
    couple::exchange().add_drive(signal, parameter, scale, {nodes, nodes + n});
    return 0;
  });
}

std::int64_t couple_nest_seal(std::int64_t slice_steps) {
  return couple::guarded([&] {
    couple::exchange().seal(slice_steps);
    return 0;
  });
}

/// `undelivered`: the last slice's spikes have not been handed to the nodes of `couple_out` yet.
std::int64_t couple_nest_finish(std::uint32_t undelivered) {
  return couple::guarded([&] {
    couple::exchange().finish(undelivered != 0);
    return 0;
  });
}

/// The first error, or an empty text.
const char* couple_nest_error() {
  static std::string text;
  text = couple::exchange().error();
  return text.c_str();
}
}
