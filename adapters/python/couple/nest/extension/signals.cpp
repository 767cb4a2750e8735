// SPDX-License-Identifier: GPL-2.0-or-later

#include "signals.hpp"

#include <cmath>
#include <limits>
#include <stdexcept>

#include "nodes.hpp"

namespace couple {

Readings::Readings(std::vector<Variable> variables, const std::vector<std::int64_t>& nodes, std::size_t first_port,
                   const std::vector<nest::Node*>& askers)
    : variables_(std::move(variables)),
      blocks_(variables_.size()),
      neurons_(askers.size()),
      first_port_(first_port),
      columns_(nodes.size()) {
  std::vector<std::string> recordables;
  for (const Variable& variable : variables_) recordables.push_back(variable.recordable);
  for (std::size_t column = 0; column < nodes.size(); ++column) {
    const auto [node, thread] = find_neuron(nodes[column], askers.size());
    nest::DataLoggingRequest request(nest::Time::step(1), recordables);
    request.set_sender(*askers[thread]);
    request.set_receiver(*node);
    neurons_[thread].push_back({node, node->handles_test_event(request, 0), column});
  }
}

void Readings::ask(std::size_t thread, nest::Node& asker) const {
  nest::DataLoggingRequest request;
  request.set_sender(asker);
  for (const Neuron& neuron : neurons_[thread]) {
    request.set_rport(neuron.rport);
    request.set_port(first_port_ + neuron.column);
    neuron.node->handle(request);
  }
}

void Readings::take(std::size_t column, const nest::DataLoggingReply& reply) {
  for (const nest::DataLoggingReply::Item& item : reply.get_info()) {
    if (!item.timestamp.is_finite()) break;
    const std::int64_t row = item.timestamp.get_steps() - begin_ - 1;
    if (row < 0 || row >= static_cast<std::int64_t>(rows_)) {
      throw std::runtime_error("NEST logged a value outside of the window");
    }
    for (std::size_t i = 0; i < variables_.size(); ++i) {
      blocks_[i][static_cast<std::size_t>(row) * columns_ + column] = item.data[i] / variables_[i].scale;
    }
  }
}

void Readings::begin_window(std::int64_t begin, std::int64_t end) {
  begin_ = begin;
  rows_ = static_cast<std::size_t>(end - begin);
  // What is not logged is seen: the session refuses it.
  for (auto& block : blocks_) block.assign(rows_ * columns_, std::numeric_limits<double>::quiet_NaN());
}

void Readings::write(couple_session* session) const {
  for (std::size_t i = 0; i < variables_.size(); ++i) {
    if (couple_write_samples(session, variables_[i].signal, blocks_[i].data(), rows_, columns_) < 0) {
      throw std::runtime_error(session_error("a signal was refused"));
    }
  }
}

Drive::Drive(std::uint32_t signal, std::string parameter, double scale, const std::vector<std::int64_t>& nodes,
             std::size_t threads)
    : signal_(signal), parameter_(std::move(parameter)), scale_(scale), neurons_(threads), columns_(nodes.size()) {
  nest::CurrentEvent probe;
  for (std::size_t column = 0; column < nodes.size(); ++column) {
    const auto [node, thread] = find_neuron(nodes[column], threads);
    const std::size_t rport = is_parameter() ? 0 : node->handles_test_event(probe, 0);
    neurons_[thread].push_back({node, rport, column, std::numeric_limits<double>::quiet_NaN()});
  }
}

void Drive::fetch(couple_session* session, std::int64_t begin, std::int64_t end) {
  std::size_t rows = 0;
  std::size_t columns = 0;
  if (couple_samples(session, signal_, &values_, &rows, &columns) < 0) {
    throw std::runtime_error(session_error("a signal could not be read"));
  }
  if (rows != static_cast<std::size_t>(end - begin) + 1 || columns != columns_) {
    throw std::runtime_error("a signal of " + std::to_string(rows) + " rows and " + std::to_string(columns) +
                             " columns does not fit the window");
  }
  begin_ = begin;
  if (begin > 0 || is_parameter()) return;
  for (std::size_t column = 0; column < columns_; ++column) {
    if (value(0, column) == 0.0) continue;
    throw std::runtime_error(
        "a current that is not 0 from the beginning cannot be injected into a neuron of NEST, whose first step is without "
        "injected current. Help: set `initial = 0` in the connection, or i_offset in the population");
  }
}

void Drive::deliver(std::size_t thread, std::int64_t begin, std::int64_t end) {
  for (Neuron& neuron : neurons_[thread]) {
    if (is_parameter()) {
      set(neuron, begin);
    } else {
      inject(neuron, begin, end);
    }
  }
}

double Drive::value(std::int64_t step, std::size_t column) const {
  return values_[static_cast<std::size_t>(step - begin_) * columns_ + column] * scale_;
}

/// A current that arrives at the end of a step drives the next one.
void Drive::inject(const Neuron& neuron, std::int64_t begin, std::int64_t end) const {
  nest::CurrentEvent event;
  event.set_rport(neuron.rport);
  event.set_weight(1.0);
  event.set_delay_steps(1);
  event.set_receiver(*neuron.node);
  for (std::int64_t step = begin + 1; step <= end; ++step) {
    const double current = value(step, neuron.column);
    if (current == 0.0) continue;
    event.set_stamp(nest::Time::step(step - 1));
    event.set_current(current);
    neuron.node->handle(event);
  }
}

void Drive::set(Neuron& neuron, std::int64_t begin) const {
  const double now = value(begin, neuron.column);
  if (now == neuron.last) return;
  Dictionary status;
  status[parameter_] = now;
  neuron.node->set_status_base(status);
  neuron.last = now;
}

void Signals::add_readings(std::vector<Readings::Variable> variables, const std::vector<std::int64_t>& nodes,
                           std::int64_t asker, std::size_t threads) {
  std::vector<nest::Node*> askers;
  for (std::size_t thread = 0; thread < threads; ++thread) {
    askers.push_back(nest::kernel().node_manager.get_node_or_proxy(static_cast<std::size_t>(asker), thread));
  }
  const std::size_t first = readings_.empty() ? 0 : readings_.back().first_port() + readings_.back().columns();
  readings_.emplace_back(std::move(variables), nodes, first, askers);
}

void Signals::ask(std::size_t thread, nest::Node& asker) const {
  for (const Readings& readings : readings_) readings.ask(thread, asker);
}

void Signals::take(const nest::DataLoggingReply& reply) {
  const std::size_t port = reply.get_port();
  for (Readings& readings : readings_) {
    if (port < readings.first_port() + readings.columns()) return readings.take(port - readings.first_port(), reply);
  }
}

void Signals::write(couple_session* session) const {
  for (const Readings& readings : readings_) readings.write(session);
}

void Signals::begin_window(couple_session* session, std::int64_t begin, std::int64_t end) {
  for (Readings& readings : readings_) readings.begin_window(begin, end);
  for (Drive& drive : drives_) drive.fetch(session, begin, end);
}

void Signals::deliver(std::size_t thread, std::int64_t begin, std::int64_t end) {
  for (Drive& drive : drives_) drive.deliver(thread, begin, end);
}

}  // namespace couple
