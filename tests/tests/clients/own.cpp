// Sends back what it gets, or does something wrong, as its argument says.
#include <algorithm>
#include <cmath>
#include <couple.hpp>

int main(int, char **arguments) {
  const std::string does = arguments[1];
  return couple::run([&does](couple::Session &session) {
    const auto ear = session.spike_input("ear");
    const auto mouth = session.spike_output(does == "name" ? "mouht" : "mouth");
    const auto pull = session.signal_input("ear.pull");
    const auto angle = session.signal_output("mouth.angle");
    const auto order = session.message_input("ear.order");
    const auto answer = session.message_output("mouth.answer");
    if (angle.unit() != "rad" || angle.count() != 3) throw std::logic_error("the unit or the columns of the angle");
    if (does == "before") mouth.emit(0, 1);
    if (does == "before-write") angle.write({0.0, 0.0, 0.0});
    for (const couple::Window &window : session) {
      const bool late = window.end_ns > 20000000;
      std::vector<std::uint32_t> neurons;
      std::vector<std::int64_t> times;
      for (const couple::Spike &spike : ear.read()) {
        neurons.push_back(spike.index);
        times.push_back(spike.time_ns);
      }
      std::vector<double> block;
      const couple::Block seen = pull.read();
      for (std::size_t row = 1; row < seen.rows(); ++row) {
        for (double value : seen[row]) block.push_back(2 * value);
      }
      if (late && does == "index") mouth.emit(3, window.end_ns);
      if (late && does == "past") mouth.emit(1, window.start_ns);
      if (late && does == "width") angle.write(block.data(), window.steps(), 2);
      if (late && does == "finite") block[1] = std::nan("");
      if (late && does == "message-past") answer.send(window.start_ns, "late");
      if (late && does == "exception") throw std::runtime_error("the arm is broken");
      if (late && does == "early") return;
      if (late && does == "twice") angle.write(block);
      mouth.emit(neurons, times);
      if (!late || does != "forgotten") angle.write(block);
      for (const couple::Message &message : order.read()) {
        std::string text(static_cast<const char *>(message.bytes), message.n);
        std::reverse(text.begin(), text.end());
        answer.send(message.time_ns, text);
      }
    }
    if (does == "after") ear.read();
    if (does == "again") session.begin();
  });
}
