// SPDX-License-Identifier: GPL-2.0-or-later

#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

#include "nest_extension_interface.h"

#include "couple.h"

namespace couple {

/// The text of the session's last error.
inline std::string session_error(const char* during) {
  const char* text = couple_last_error();
  return std::string(during) + ": " + (text && *text ? text : "no reason given");
}

/// The neuron with this id, and the thread that it is on.
inline std::pair<nest::Node*, std::size_t> find_neuron(std::int64_t id, std::size_t threads) {
  for (std::size_t thread = 0; thread < threads; ++thread) {
    nest::Node* node = nest::kernel().node_manager.get_node_or_proxy(static_cast<std::size_t>(id), thread);
    if (!node || node->is_proxy()) continue;
    if (!node->has_proxies()) throw std::runtime_error("node " + std::to_string(id) + " is a device, not a neuron");
    return {node, thread};
  }
  throw std::runtime_error("node " + std::to_string(id) + " does not exist in NEST");
}

}  // namespace couple
