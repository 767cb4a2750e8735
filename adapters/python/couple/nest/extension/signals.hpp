// SPDX-License-Identifier: GPL-2.0-or-later
//
// Analog signals of NEST's neurons. What goes out: state variables, which NEST's neurons log at the end of each step and
// hand over when they are asked, one slice later, at the same point at which spikes are exchanged. What comes in:
// a current or a parameter's value for the beginning of each step.
//
//      slice k-1           |  read: the log of slice k-1 ─► block of the window ─► couple_write_samples  |  slice k
//                          |  drive: couple_samples ─► CurrentEvent, set_status                          |
//
// The rows of a block are the ends of steps; what comes in has one row more, the first for the window's beginning.

#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "nest_extension_interface.h"

#include "couple.h"

namespace couple {

/// State variables of one port's neurons that go out.
class Readings {
 public:
  /// A variable: the output signal, NEST's name, and how many of NEST's units are one of the signal's.
  struct Variable {
    std::uint32_t signal;
    std::string recordable;
    double scale;
  };
  /// Tells the neurons what to log; `first_port` is the event port of the first neuron's answers.
  Readings(std::vector<Variable> variables, const std::vector<std::int64_t>& nodes, std::size_t first_port,
           const std::vector<nest::Node*>& askers);

  /// Asks this thread's neurons for the log of the slice that ended.
  void ask(std::size_t thread, nest::Node& asker) const;
  /// An answer, of the neuron in `column`.
  void take(std::size_t column, const nest::DataLoggingReply& reply);
  /// Makes room for the window `(begin, end]`.
  void begin_window(std::int64_t begin, std::int64_t end);
  void write(couple_session* session) const;
  std::size_t columns() const { return columns_; }
  std::size_t first_port() const { return first_port_; }

 private:
  struct Neuron {
    nest::Node* node;
    std::size_t rport;
    std::size_t column;
  };
  std::vector<Variable> variables_;
  std::vector<std::vector<double>> blocks_;   // of each variable, by row and column
  std::vector<std::vector<Neuron>> neurons_;  // of each thread
  std::size_t first_port_;
  std::size_t columns_;
  std::int64_t begin_ = 0;
  std::size_t rows_ = 0;
};

/// A signal that drives the neurons of one port.
class Drive {
 public:
  /// `parameter` is NEST's name of a parameter, or empty for an injected current; `scale`: how many of NEST's
  /// units are one of the signal's.
  Drive(std::uint32_t signal, std::string parameter, double scale, const std::vector<std::int64_t>& nodes,
        std::size_t threads);

  /// Takes the samples of the window that begins at `begin`. They stay valid for all of it.
  void fetch(couple_session* session, std::int64_t begin, std::int64_t end);
  /// Hands over what this thread's neurons need for the steps `(begin, end]`.
  void deliver(std::size_t thread, std::int64_t begin, std::int64_t end);
  /// A parameter can be set between slices only.
  bool is_parameter() const { return !parameter_.empty(); }

 private:
  struct Neuron {
    nest::Node* node;
    std::size_t rport;
    std::size_t column;
    double last;  // a parameter's value as it was set
  };
  void inject(const Neuron& neuron, std::int64_t begin, std::int64_t end) const;
  void set(Neuron& neuron, std::int64_t begin) const;
  double value(std::int64_t step, std::size_t column) const;

  std::uint32_t signal_;
  std::string parameter_;
  double scale_;
  std::vector<std::vector<Neuron>> neurons_;  // of each thread
  std::size_t columns_;
  const double* values_ = nullptr;
  std::int64_t begin_ = 0;
};

/// All signals of this process.
class Signals {
 public:
  void add_readings(std::vector<Readings::Variable> variables, const std::vector<std::int64_t>& nodes,
                    std::int64_t asker, std::size_t threads);
  void add_drive(Drive drive) { drives_.push_back(std::move(drive)); }

  bool read_anything() const { return !readings_.empty(); }
  void ask(std::size_t thread, nest::Node& asker) const;
  void take(const nest::DataLoggingReply& reply);
  void write(couple_session* session) const;
  void begin_window(couple_session* session, std::int64_t begin, std::int64_t end);
  void deliver(std::size_t thread, std::int64_t begin, std::int64_t end);

 private:
  std::vector<Readings> readings_;
  std::vector<Drive> drives_;
};

}  // namespace couple
