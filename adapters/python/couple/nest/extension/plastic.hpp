// SPDX-License-Identifier: GPL-2.0-or-later
//
// Plastic synapses of sources outside NEST. They are NEST's own connection models, held by the exchange instead of by
// NEST's connection tables: a source outside is no node.

#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "stdp_synapse.h"
#include "tsodyks2_synapse.h"

#include "exchange.hpp"

namespace couple {

using StdpSynapse = nest::stdp_synapse<nest::TargetIdentifierPtrRport>;
using TsodyksMarkramSynapse = nest::tsodyks2_synapse<nest::TargetIdentifierPtrRport>;

/// Rows of synapses of one model.
template <typename Connection>
class PlasticRows : public Plastic {
 public:
  void add(std::uint32_t source, const Connection& synapse) { staged_.emplace_back(source, synapse); }

  void seal(std::uint32_t width) override {
    first_.assign(static_cast<std::size_t>(width) + 1, 0);
    for (const auto& staged : staged_) ++first_[staged.first + 1];
    for (std::size_t i = 0; i < width; ++i) first_[i + 1] += first_[i];
    std::vector<std::uint64_t> next(first_.begin(), first_.end() - 1);
    synapses_.resize(staged_.size());
    for (const auto& [source, synapse] : staged_) synapses_[next[source]++] = synapse;
    staged_ = {};
  }

  void send(std::uint32_t source, nest::SpikeEvent& spike, std::size_t thread) override {
    for (std::uint64_t i = first_[source]; i < first_[source + 1]; ++i) synapses_[i].send(spike, thread, common_);
  }

 private:
  std::vector<std::uint64_t> first_;
  std::vector<Connection> synapses_;
  std::vector<std::pair<std::uint32_t, Connection>> staged_;
  typename Connection::CommonPropertiesType common_;
};

/// A synapse with the parameters in `values`, which are called `names`.
template <typename Connection>
Connection prototype(const char* model, const std::vector<const char*>& names, const std::vector<double>& values,
                     Dictionary extra) {
  if (names.size() != values.size()) throw std::runtime_error(std::string("wrong number of parameters of ") + model);
  for (std::size_t i = 0; i < names.size(); ++i) extra[names[i]] = values[i];
  Connection synapse;
  auto& models = nest::kernel().model_manager;
  synapse.set_status(extra, models.get_connection_model(models.get_synapse_model_id(model), 0));
  return synapse;
}

inline StdpSynapse stdp_prototype(const std::vector<double>& values) {
  Dictionary extra;
  extra["weight"] = values.empty() ? 0.0 : values.back();  // of the same sign as the bound
  return prototype<StdpSynapse>("stdp_synapse", {"tau_plus", "lambda", "alpha", "mu_plus", "mu_minus", "Wmax"}, values,
                                extra);
}

inline TsodyksMarkramSynapse tsodyks_markram_prototype(const std::vector<double>& values) {
  Dictionary extra;
  extra["u"] = values.empty() ? 0.0 : values.front();
  return prototype<TsodyksMarkramSynapse>("tsodyks2_synapse", {"U", "tau_rec", "tau_fac"}, values, extra);
}

}  // namespace couple
