// A muscle: spikes of motor neurons pull it together, and its stretch receptors fire while it is long.
#include <couple.hpp>

int main() {
  return couple::run([](couple::Session &session) {
    const auto endplates = session.spike_input("endplates");  // populations of the configuration, by name
    const auto stretch = session.spike_output("stretch");
    const std::int64_t step = session.step_ns();
    std::int64_t pull = 0;
    for (const couple::Window &window : session) {
      const auto spikes = endplates.read();  // ordered by time
      auto next = spikes.begin();
      for (std::int64_t now = window.start_ns + step; now <= window.end_ns; now += step) {
        pull -= pull / 16;
        for (; next != spikes.end() && next->time_ns <= now; ++next) ++pull;
        const std::int64_t receptor = now / step % stretch.width();
        if (pull < 8 * (receptor + 1)) stretch.emit(static_cast<std::uint32_t>(receptor), now);
      }
    }
  });
}
