// couple in C++: a component's session with ports by name. A thin layer over couple.h, which has the details; C++11.
//
//   #include <couple.hpp>
//
//   int main() {
//     return couple::run([](couple::Session &session) {
//       auto endplates = session.spike_input("endplates");   // populations of the configuration, by name
//       auto stretch = session.spike_output("stretch");
//       for (const couple::Window &window : session) {       // (window.start_ns, window.end_ns]
//         for (const couple::Spike &spike : endplates.read()) ...
//         stretch.emit(index, window.end_ns);
//       }
//     });
//   }
//
// Errors are exceptions of type couple::Error, whose text names the component and the port. couple::run tells the
// coordinator of an exception, also of one of the program's own, and returns the exit code.
//
// Units: times are nanoseconds since the start of the run, signals are in the unit of the configuration.
#ifndef COUPLE_HPP
#define COUPLE_HPP

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "couple.h"

namespace couple {

// Why a call failed, with place and remedy.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A view of numbers, spikes or messages that belong to the session; valid until the next window.
template <class T>
class Span {
 public:
  Span(const T *data, std::size_t size) : data_(data), size_(size) {}
  const T *begin() const { return data_; }
  const T *end() const { return data_ + size_; }
  const T *data() const { return data_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const T &operator[](std::size_t i) const { return data_[i]; }

 private:
  const T *data_;
  std::size_t size_;
};

// A spike: time_ns, index.
using Spike = couple_spike;
// A message: time_ns, bytes, n.
using Message = couple_message;

// A signal in a window: rows of the same number of columns; valid until the next window.
class Block {
 public:
  Block(const double *values, std::size_t rows, std::size_t columns) : values_(values), rows_(rows), columns_(columns) {}
  std::size_t rows() const { return rows_; }
  std::size_t columns() const { return columns_; }
  Span<double> operator[](std::size_t row) const { return Span<double>(values_ + row * columns_, columns_); }

 private:
  const double *values_;
  std::size_t rows_, columns_;
};

// The interval (start, end] to simulate.
struct Window {
  std::int64_t start_ns;
  std::int64_t end_ns;
  std::int64_t step_ns;
  // The component's steps in it.
  std::size_t steps() const { return static_cast<std::size_t>((end_ns - start_ns) / step_ns); }
};

namespace detail {
struct Link {
  couple_session *session;
  std::string component;
  // What a call returned, unless it failed.
  std::int64_t good(std::int64_t result, const std::string &port = std::string()) const {
    if (result >= 0) return result;
    throw wrong(couple_last_error(), port);
  }
  // An error that names component and port.
  Error wrong(const std::string &text, const std::string &port) const {
    const std::string own = "component `" + component + "`";
    if (text.compare(0, own.size(), own) == 0) return Error(text);
    return Error(own + (port.empty() ? "" : ", port `" + port + "`") + ": " + text);
  }
};
}  // namespace detail

// One end of a link, by its name in the configuration. Valid as long as its session.
class Port {
 public:
  const std::string &name() const { return name_; }
  std::uint32_t width() const { return port_.width; }  // neurons of the population, or columns of the signal
  std::uint32_t first() const { return port_.first; }  // this rank has those from here on,
  std::uint32_t count() const { return port_.count; }  // so many
  std::string unit() const { return port_.unit; }      // of a signal

 protected:
  Port(const detail::Link *link, int kind, const std::string &name) : link_(link), name_(name) {
    link->good(couple_find(link->session, kind, name.c_str(), &port_));
  }
  std::int64_t good(std::int64_t result) const { return link_->good(result, name_); }
  Error wrong(const std::string &text) const { return link_->wrong(text, name_); }
  couple_session *session() const { return link_->session; }
  std::uint32_t number() const { return port_.number; }

 private:
  const detail::Link *link_;
  std::string name_;
  couple_port port_;
};

// Spikes that connections bring to a population of this component.
class SpikeInput : public Port {
 public:
  // Those of the window, in order of time.
  Span<Spike> read() const {
    const Spike *spikes = nullptr;
    const std::int64_t n = good(couple_port_spikes(session(), number(), &spikes));
    return Span<Spike>(spikes, static_cast<std::size_t>(n));
  }

 private:
  friend class Session;
  SpikeInput(const detail::Link *link, const std::string &name) : Port(link, COUPLE_SPIKES_IN, name) {}
};

// Spikes of a population of this component.
class SpikeOutput : public Port {
 public:
  // start < time <= end of the window.
  void emit(std::uint32_t index, std::int64_t time_ns) const {
    good(couple_emit(session(), number(), index, time_ns));
  }
  // One time for each neuron.
  void emit(const std::vector<std::uint32_t> &indices, const std::vector<std::int64_t> &times_ns) const {
    if (indices.size() != times_ns.size()) {
      throw wrong("emit was given " + std::to_string(indices.size()) + " neurons and " +
                  std::to_string(times_ns.size()) + " times");
    }
    good(couple_emit_many(session(), number(), indices.data(), times_ns.data(), indices.size()));
  }

 private:
  friend class Session;
  SpikeOutput(const detail::Link *link, const std::string &name) : Port(link, COUPLE_SPIKES_OUT, name) {}
};

// An analog signal that arrives.
class SignalInput : public Port {
 public:
  // Row n is the signal n steps after the window's start; steps + 1 rows, and a column for each neuron of this rank.
  Block read() const {
    const double *values = nullptr;
    std::size_t rows = 0, columns = 0;
    good(couple_samples(session(), number(), &values, &rows, &columns));
    return Block(values, rows, columns);
  }

 private:
  friend class Session;
  SignalInput(const detail::Link *link, const std::string &name) : Port(link, COUPLE_SIGNAL_IN, name) {}
};

// An analog signal that this component gives.
class SignalOutput : public Port {
 public:
  // Once in each window, row by row: a row for each step, the values at its end, and a column for each neuron of this rank.
  void write(const std::vector<double> &values) const {
    const std::size_t columns = count() ? count() : 1;
    if (values.size() % columns != 0) {
      throw wrong(std::to_string(values.size()) + " numbers were written, which are no rows of " +
                  std::to_string(columns) + " columns");
    }
    write(values.data(), values.size() / columns, columns);
  }
  void write(const double *values, std::size_t rows, std::size_t columns) const {
    good(couple_write_samples(session(), number(), values, rows, columns));
  }

 private:
  friend class Session;
  SignalOutput(const detail::Link *link, const std::string &name) : Port(link, COUPLE_SIGNAL_OUT, name) {}
};

// Messages that arrive.
class MessageInput : public Port {
 public:
  // Those of the window, in order of time.
  Span<Message> read() const {
    const Message *messages = nullptr;
    const std::int64_t n = good(couple_messages(session(), number(), &messages));
    return Span<Message>(messages, static_cast<std::size_t>(n));
  }

 private:
  friend class Session;
  MessageInput(const detail::Link *link, const std::string &name) : Port(link, COUPLE_MESSAGES_IN, name) {}
};

// Messages of this component.
class MessageOutput : public Port {
 public:
  // start < time <= end of the window.
  void send(std::int64_t time_ns, const void *bytes, std::size_t n) const {
    good(couple_send_message(session(), number(), time_ns, bytes, n));
  }
  void send(std::int64_t time_ns, const std::string &bytes) const { send(time_ns, bytes.data(), bytes.size()); }

 private:
  friend class Session;
  MessageOutput(const detail::Link *link, const std::string &name) : Port(link, COUPLE_MESSAGES_OUT, name) {}
};

// This process's part in the run.
class Session {
 public:
  // Connects to the coordinator that started this process.
  Session() {
    link_.session = couple_connect();
    const char *component = std::getenv("COUPLE_COMPONENT");
    link_.component = component ? component : "?";
    if (!link_.session) throw Error(couple_last_error());
  }
  // Without finish or fail before, the run ends as failed.
  ~Session() { couple_close(link_.session); }
  Session(const Session &) = delete;
  Session &operator=(const Session &) = delete;

  SpikeInput spike_input(const std::string &population) const { return SpikeInput(&link_, population); }
  SpikeOutput spike_output(const std::string &population) const { return SpikeOutput(&link_, population); }
  // "population.variable"
  SignalInput signal_input(const std::string &variable) const { return SignalInput(&link_, variable); }
  SignalOutput signal_output(const std::string &variable) const { return SignalOutput(&link_, variable); }
  MessageInput message_input(const std::string &variable) const { return MessageInput(&link_, variable); }
  MessageOutput message_output(const std::string &variable) const { return MessageOutput(&link_, variable); }

  // The run and this component's part of it, as JSON: see couple_description.
  std::string description() const {
    const char *text = couple_description(link_.session);
    link_.good(text ? 0 : -1);
    return text;
  }
  // The component's step.
  std::int64_t step_ns() const { return link_.good(couple_step(link_.session)); }

  // Ends the window at hand, if there is one, and waits for the next one; false at the end of the run. The first call
  // ends the setup, the last one waits until all components are done.
  bool next_window(Window &window) {
    if (!started_) {
      window_.step_ns = step_ns();
      link_.good(couple_start(link_.session));
      started_ = true;
    }
    if (link_.good(couple_next_window(link_.session, &window_.start_ns, &window_.end_ns)) == 0) {
      link_.good(couple_finish(link_.session));
      finished_ = true;
      return false;
    }
    window = window_;
    return true;
  }

  // For a range-based `for` over the windows of the run.
  class Windows {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Window;
    using difference_type = std::ptrdiff_t;
    using pointer = const Window *;
    using reference = const Window &;
    explicit Windows(Session *session) : session_(session) {
      if (session_) ++*this;
    }
    const Window &operator*() const { return window_; }
    const Window *operator->() const { return &window_; }
    Windows &operator++() {
      if (!session_->next_window(window_)) session_ = nullptr;
      return *this;
    }
    bool operator==(const Windows &other) const { return session_ == other.session_; }
    bool operator!=(const Windows &other) const { return session_ != other.session_; }

   private:
    Session *session_;
    Window window_ = {0, 0, 1};
  };
  Windows begin() { return Windows(this); }
  Windows end() { return Windows(nullptr); }

  // True after the last window.
  bool finished() const { return finished_; }
  // Tells the coordinator that the component cannot go on; it ends the run.
  void fail(const std::string &message) { couple_fail(link_.session, message.c_str()); }

 private:
  detail::Link link_ = {nullptr, {}};
  Window window_ = {0, 0, 1};
  bool started_ = false, finished_ = false;
};

// The body of main: connects, calls body(session), and tells the coordinator how that ended. Returns the exit code.
template <class Body>
int run(Body &&body) {
  try {
    Session session;
    std::string why;
    try {
      std::forward<Body>(body)(session);
      if (session.finished()) return 0;
      why = "the program ended before the run; go through the windows to the last one";
    } catch (const std::exception &error) {
      why = error.what();
    } catch (...) {
      why = "the program threw something that is no std::exception";
    }
    std::fprintf(stderr, "%s\n", why.c_str());
    session.fail(why);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  return 3;
}

}  // namespace couple

#endif
