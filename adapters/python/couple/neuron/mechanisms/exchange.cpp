// The exchange of a NEURON component: windows, input and spikes, all of it without Python.
//
// Within a window NEURON runs in slices no longer than the shortest delay between neurons of this process. Before a
// slice everything that arrives in it is known: it comes out of couple's input table, one sum for each place (a receptor
// of a cell) and time. With the fixed step a sum is given to the place's NET_RECEIVE between the two steps at whose border
// it arrives; with the variable step it is an event in NEURON's queue, so that the cell's integrator stops there.
// Spikes come from the NET_RECEIVE of the cells, with the number that Python gave to the neuron.

#include <cmath>
#include <cstdint>
#include <deque>
#include <stdexcept>
#include <string>
#include <vector>

#include "couple.h"
// NEURON's headers want this order.
#include "mech_api.h"
#include "md1redef.h"
#include "section_fwd.hpp"
#include "nrniv_mf.h"
#include "md2redef.h"
#include "nrnconf.h"
#include "neuron/cache/mechanism_range.hpp"

void ncs2nrn_integrate(double);
void deliver_net_events(NrnThread*);
void cvode_finitialize(double);

namespace {

using Handle = neuron::container::data_handle<double>;

/// Something went wrong in a call of the session; its text is there.
struct SessionFailed {};

void check(std::int64_t result) {
  if (result < 0) throw SessionFailed{};
}

/// Where input adds up.
struct Place {
  Point_process* target;
  pnt_receive_t receive;
  double flag;
  /// The arguments of its NET_RECEIVE, which may keep a state there; the first is the weight.
  double* arguments;
  /// For cells of ours with the fixed step: the state that input is added to, times the factor, which is all that their
  /// NET_RECEIVE does.
  Handle state;
  double factor;
};

/// A neuron that spikes.
struct Emitter {
  std::int64_t output;  // of the session; -1: nobody wants its spikes
  std::int64_t post;    // as a postsynaptic neuron in the input table; -1: nothing learns from its spikes
  std::uint32_t index;
  std::uint32_t first, end;  // its sources in the input table are those at these positions of `sources`
};

/// What comes from elsewhere.
struct Feed {
  bool stimulus;
  std::uint32_t number;  // of the session's input, or of the population
  std::uint32_t source;  // of the input table
  std::int64_t min_delay_ns;
};

/// Variables that are an analog signal of the session.
struct Output {
  std::uint32_t signal;
  std::vector<Handle> variables;
  /// The window's samples, row by row.
  std::vector<double> block;
};

/// What analog signals set: their sum is a parameter of each of some neurons.
struct Drive {
  std::vector<std::uint32_t> signals;
  /// A cell of ours has a NET_RECEIVE that sets the parameter under this flag; 0: it is a variable of the user's.
  double flag;
  std::vector<Point_process*> targets;
  std::vector<Handle> variables;
  /// What it is at present, and the signals' rows of the window.
  std::vector<double> value;
  std::vector<const double*> rows;
};

struct Exchange {
  couple_session* session = nullptr;
  couple_table* table = nullptr;
  std::int64_t step_ns = 0, slice_ns = 0, now_ns = 0, until_ns = 0;
  bool variable_step = false;
  std::vector<Place> places;
  std::vector<std::vector<double>> arguments;
  std::vector<Emitter> emitters;
  std::vector<Feed> feeds;
  /// Spikes of the slice, by source of the table.
  std::vector<std::vector<couple_spike>> own;
  std::vector<std::uint32_t> sources;
  /// Those of neurons that plastic synapses learn from.
  std::vector<couple_spike> posts;
  /// Spikes of the variable step that, rounded up, come after the slice; by emitter.
  std::vector<couple_spike> late;
  /// Weights of events that NEURON has in its queue.
  std::deque<double> weights;
  std::vector<Output> outputs;
  std::vector<Drive> drives;
  /// Variables that Python has handed over, for the next signal.
  std::vector<Handle> collected;
  std::int64_t window_start_ns = 0, window_end_ns = 0;
  std::uint64_t spikes = 0, events = 0;
  std::string error;

  void spike(double id, double t);
  void emit(const Emitter& emitter, std::int64_t stamp);
  void run();
  void window();
  void fill();
  void slice();
  void fixed(const couple_arrivals& arrivals);
  void variable(const couple_arrivals& arrivals);
  void advance(std::int64_t to_ns);
  void post(Point_process* target, std::int64_t time_ns, double weight, double flag);
  void begin_signals();
  bool drive(std::int64_t time_ns, bool cells, bool as_event);
  bool drives_variables() const;
  void sample(std::int64_t time_ns);
  void end_signals();
};

Exchange exchange;

std::string ms(std::int64_t ns) { return std::to_string(static_cast<double>(ns) / 1e6) + " ms"; }

/// The stamp of a spike: with the fixed step the end of the step (NEURON's own time has rounding errors), with the
/// variable one the next whole nanosecond.
void Exchange::spike(double id, double t) {
  const Emitter& emitter = emitters.at(static_cast<std::size_t>(id));
  const double ns = t * 1e6;
  const std::int64_t stamp = variable_step
                                 ? static_cast<std::int64_t>(std::ceil(ns - 1e-3))
                                 : std::llround(ns / static_cast<double>(step_ns)) * step_ns;
  if (stamp > until_ns) {
    late.push_back({stamp, static_cast<std::uint32_t>(id), 1});
  } else {
    emit(emitter, stamp);
  }
}

void Exchange::emit(const Emitter& emitter, std::int64_t stamp) {
  ++spikes;
  if (emitter.output >= 0) {
    check(couple_emit(session, static_cast<std::uint32_t>(emitter.output), emitter.index, stamp));
  }
  if (emitter.post >= 0) posts.push_back({stamp, static_cast<std::uint32_t>(emitter.post), 1});
  for (std::uint32_t i = emitter.first; i < emitter.end; ++i) own[sources[i]].push_back({stamp, emitter.index, 1});
}

void Exchange::fill() {
  for (const Feed& feed : feeds) {
    const couple_spike* some = nullptr;
    const std::int64_t n =
        feed.stimulus ? couple_stimulus(session, feed.number, window_start_ns - feed.min_delay_ns,
                                        window_end_ns - feed.min_delay_ns, &some)
                      : couple_input_events(session, feed.number, &some);
    check(n);
    check(couple_table_spikes(table, feed.source, some, static_cast<std::size_t>(n)));
  }
}

void Exchange::advance(std::int64_t to_ns) {
  const std::int64_t steps = (to_ns - now_ns) / step_ns;
  // NEURON counts the steps that fit. Its time has rounding errors, hence a quarter of a step more.
  const double step = nrn_threads->_dt;
  if (steps > 0) ncs2nrn_integrate(nrn_threads->_t + (static_cast<double>(steps) + 0.25) * step);
  now_ns = to_ns;
}

void Exchange::fixed(const couple_arrivals& arrivals) {
  const bool signals = !outputs.empty() || !drives.empty();
  for (std::size_t i = 0; now_ns < until_ns;) {
    const bool more = i < arrivals.times;
    std::int64_t next = more ? arrivals.time_ns[i] : until_ns;
    if (signals) {
      drive(now_ns, true, false);
      next = now_ns + step_ns;
    }
    advance(next);
    if (more && arrivals.time_ns[i] == now_ns) {
      for (std::size_t j = arrivals.first[i]; j < arrivals.first[i + 1]; ++j) {
        Place& place = places[arrivals.place[j]];
        if (place.factor != 0) {
          *place.state += arrivals.sum[j] * place.factor;
          continue;
        }
        place.arguments[0] = arrivals.sum[j];
        place.receive(place.target, place.arguments, place.flag);
      }
      ++i;
    }
    // NEURON looks for crossings of a step when the next one begins; whoever samples, and other neurons, must know before.
    if (signals || now_ns == until_ns) deliver_net_events(nrn_threads);
    sample(now_ns);
  }
}

void Exchange::post(Point_process* target, std::int64_t time_ns, double weight, double flag) {
  static Datum unused;
  weights.push_back(weight);
  nrn_net_send(&unused, &weights.back(), target, static_cast<double>(time_ns) / 1e6, flag);
}

void Exchange::variable(const couple_arrivals& arrivals) {
  weights.clear();
  for (std::size_t i = 0; i < arrivals.times; ++i) {
    for (std::size_t j = arrivals.first[i]; j < arrivals.first[i + 1]; ++j) {
      const Place& place = places[arrivals.place[j]];
      post(place.target, arrivals.time_ns[i], arrivals.sum[j], place.flag);
    }
  }
  if (!drives.empty()) {
    if (now_ns == 0) drive(0, true, true);
    for (std::int64_t t = now_ns + step_ns; t <= until_ns; t += step_ns) drive(t, true, true);
  }
  const bool stops = !outputs.empty() || drives_variables();
  while (now_ns < until_ns) {
    if (stops && drive(now_ns, false, false)) cvode_finitialize(nrn_threads->_t);
    const std::int64_t next = stops ? now_ns + step_ns : until_ns;
    // A little more than wanted: NEURON may leave an event of just that time for later. Spikes of the next nanosecond come
    // with it, and wait in `late`.
    ncs2nrn_integrate((static_cast<double>(next) + 0.4) / 1e6);
    now_ns = next;
    sample(now_ns);
  }
}

// -- analog signals -----------------------------------------------------------------------------------------------------

/// Fetches the window's samples.
void Exchange::begin_signals() {
  const std::size_t steps = static_cast<std::size_t>((window_end_ns - window_start_ns) / step_ns);
  for (Output& output : outputs) output.block.resize(steps * output.variables.size());
  for (Drive& drive : drives) {
    drive.rows.resize(drive.signals.size());
    for (std::size_t i = 0; i < drive.signals.size(); ++i) {
      std::size_t rows = 0, columns = 0;
      check(couple_samples(session, drive.signals[i], &drive.rows[i], &rows, &columns));
      if (rows != steps + 1 || columns != drive.value.size()) throw std::logic_error("samples of another size");
    }
  }
}

/// Sets what signals drive to their values at a time: parameters of `cells` of ours, or else variables of the user's.
/// Returns true when any has changed.
bool Exchange::drive(std::int64_t time_ns, bool cells, bool as_event) {
  bool changed = false;
  // NEURON refuses what is earlier than an event that it has delivered; those of this step are over by then.
  const double now = nrn_threads->_t;
  if (!variable_step) nrn_threads->_t = now + 0.13 * nrn_threads->_dt;
  const std::size_t row = static_cast<std::size_t>((time_ns - window_start_ns) / step_ns);
  for (Drive& drive : drives) {
    // With the fixed step there is no difference between the two.
    if (variable_step && cells != (drive.flag != 0)) continue;
    const std::size_t columns = drive.value.size();
    for (std::size_t column = 0; column < columns; ++column) {
      double value = 0;
      for (const double* samples : drive.rows) value += samples[row * columns + column];
      if (value == drive.value[column]) continue;
      changed = true;
      drive.value[column] = value;
      if (drive.flag == 0) {
        *drive.variables[column] = value;
      } else if (as_event) {
        post(drive.targets[column], time_ns, value, drive.flag);
      } else {
        Point_process* target = drive.targets[column];
        pnt_receive[_nrn_mechanism_get_type(target->_prop)](target, &value, drive.flag);
      }
    }
  }
  nrn_threads->_t = now;
  return changed;
}

bool Exchange::drives_variables() const {
  for (const Drive& drive : drives) {
    if (drive.flag == 0) return true;
  }
  return false;
}

/// Keeps the values that variables have at a time, after all events of it.
void Exchange::sample(std::int64_t time_ns) {
  const std::size_t row = static_cast<std::size_t>((time_ns - window_start_ns) / step_ns) - 1;
  for (Output& output : outputs) {
    double* out = output.block.data() + row * output.variables.size();
    for (const Handle& variable : output.variables) *out++ = *variable;
  }
}

void Exchange::end_signals() {
  for (const Output& output : outputs) {
    const std::size_t columns = output.variables.size();
    check(couple_write_samples(session, output.signal, output.block.data(), output.block.size() / columns, columns));
  }
}

// -- windows ------------------------------------------------------------------------------------------------------------

void Exchange::slice() {
  for (std::size_t i = late.size(); i-- > 0;) {
    if (late[i].time_ns > until_ns) continue;
    emit(emitters[late[i].index], late[i].time_ns);
    late.erase(late.begin() + static_cast<std::ptrdiff_t>(i));
  }
  couple_arrivals arrivals;
  check(couple_table_take(table, until_ns, &arrivals));
  events += arrivals.first[arrivals.times];
  variable_step ? variable(arrivals) : fixed(arrivals);
  if (!posts.empty()) check(couple_table_posts(table, posts.data(), posts.size()));
  posts.clear();
  for (std::size_t source = 0; source < own.size(); ++source) {
    if (own[source].empty()) continue;
    check(couple_table_spikes(table, static_cast<std::uint32_t>(source), own[source].data(), own[source].size()));
    own[source].clear();
  }
}

void Exchange::window() {
  fill();
  begin_signals();
  while (now_ns < window_end_ns) {
    until_ns = now_ns + slice_ns < window_end_ns ? now_ns + slice_ns : window_end_ns;
    slice();
  }
  end_signals();
}

void Exchange::run() {
  for (;;) {
    const int more = couple_next_window(session, &window_start_ns, &window_end_ns);
    check(more);
    if (more == 0) break;
    if (window_start_ns != now_ns) throw std::logic_error("the window starts at " + ms(window_start_ns));
    window();
  }
  check(couple_finish(session));
}

/// Runs `body`; returns -1 with a text after an error.
template <class Body>
std::int64_t guarded(Body body) {
  try {
    body();
    return 0;
  } catch (const SessionFailed&) {
    exchange.error = couple_last_error();
  } catch (const std::exception& failure) {
    exchange.error = std::string("NEURON: ") + failure.what();
  } catch (...) {
    exchange.error = "NEURON failed; its words are above";
  }
  return -1;
}

}  // namespace

// -- for the mechanisms -------------------------------------------------------------------------------------------------

void couple_neuron_spike(double id, double t) {
  if (id >= 0) exchange.spike(id, t);
}

void couple_neuron_target(void* target) {
  auto* point = static_cast<Point_process*>(target);
  const int type = _nrn_mechanism_get_type(point->_prop);
  exchange.arguments.emplace_back(pnt_receive_size[type] > 0 ? pnt_receive_size[type] : 1, 0.0);
  exchange.places.push_back({point, pnt_receive[type], 0, exchange.arguments.back().data(), {}, 0});
}

double couple_neuron_arguments(void* target) {
  const int type = _nrn_mechanism_get_type(static_cast<Point_process*>(target)->_prop);
  return pnt_receive[type] == nullptr ? 0.0 : static_cast<double>(pnt_receive_size[type]);
}

void couple_neuron_variable(Handle variable) { exchange.collected.push_back(std::move(variable)); }

/// A signal has set a threshold to what is no threshold.
void couple_neuron_threshold(double threshold, double reset, double t) {
  if (threshold > reset) return;
  throw std::runtime_error("a signal sets v_thresh to " + std::to_string(threshold) + " mV at " + std::to_string(t) +
                           " ms, which is not above v_reset, " + std::to_string(reset) + " mV");
}

// -- for Python ---------------------------------------------------------------------------------------------------------

extern "C" {

const char* couple_neuron_error() { return exchange.error.c_str(); }

void couple_neuron_open(couple_session* session, std::int64_t step_ns, int variable_step) {
  exchange.session = session;
  exchange.step_ns = step_ns;
  exchange.variable_step = variable_step != 0;
}

/// The flag of the NET_RECEIVE of places from `first` on.
void couple_neuron_flag(std::size_t first, std::size_t n, double flag) {
  for (std::size_t i = first; i < first + n; ++i) exchange.places[i].flag = flag;
}

/// The variables that have been collected are the states of places from `first` on.
void couple_neuron_states(std::size_t first, double factor) {
  for (const Handle& state : exchange.collected) {
    exchange.places[first].state = state;
    exchange.places[first++].factor = factor;
  }
  exchange.collected.clear();
}

/// The next `n` emitters are the neurons of a population from index `first` on. `post` is the first one's number as a
/// postsynaptic neuron, or -1.
void couple_neuron_emitters(std::int64_t output, std::int64_t post, std::uint32_t first, std::uint32_t n,
                            const std::uint32_t* sources, std::size_t sources_n) {
  const auto begin = static_cast<std::uint32_t>(exchange.sources.size());
  exchange.sources.insert(exchange.sources.end(), sources, sources + sources_n);
  const auto end = static_cast<std::uint32_t>(exchange.sources.size());
  for (std::uint32_t i = 0; i < n; ++i) {
    exchange.emitters.push_back({output, post < 0 ? -1 : post + i, first + i, begin, end});
  }
}

void couple_neuron_feed(int stimulus, std::uint32_t number, std::uint32_t source, std::int64_t min_delay_ns) {
  exchange.feeds.push_back({stimulus != 0, number, source, min_delay_ns});
}

/// The variables that have been collected are a signal of the session.
void couple_neuron_output(std::uint32_t signal) {
  exchange.outputs.push_back({signal, std::move(exchange.collected), {}});
  exchange.collected.clear();
}

/// The sum of `n` signals sets, under `flag`, a parameter of the `count` cells whose places start at `first`; with flag 0
/// the variables that have been collected.
void couple_neuron_drive(const std::uint32_t* signals, std::size_t n, double flag, std::size_t first, std::size_t count) {
  Drive drive{{signals, signals + n}, flag, {}, std::move(exchange.collected), {}, {}};
  exchange.collected.clear();
  for (std::size_t i = first; flag != 0 && i < first + count; ++i) drive.targets.push_back(exchange.places[i].target);
  drive.value.assign(flag != 0 ? count : drive.variables.size(), std::nan(""));
  exchange.drives.push_back(std::move(drive));
}

std::int64_t couple_neuron_run(couple_table* table, std::uint32_t sources, std::int64_t slice_ns) {
  return guarded([=] {
    exchange.table = table;
    // Only now have all vectors their places.
    for (std::size_t i = 0; i < exchange.places.size(); ++i) exchange.places[i].arguments = exchange.arguments[i].data();
    exchange.own.resize(sources);
    exchange.slice_ns = slice_ns;
    exchange.run();
  });
}

std::uint64_t couple_neuron_spikes() { return exchange.spikes; }
std::uint64_t couple_neuron_events() { return exchange.events; }
}
