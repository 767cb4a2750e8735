/* couple: the session of a component, for C and for whatever calls C.
 *
 * A program that takes part in a run is started by `couple run`. It goes through two phases:
 *
 *   couple_session *s = couple_connect();                   // setup: look up ports, build the model
 *   couple_port in, out;
 *   couple_find(s, COUPLE_SPIKES_IN, "endplates", &in);     // by the names of the configuration
 *   couple_find(s, COUPLE_SPIKES_OUT, "stretch", &out);
 *   couple_start(s);                                        // waits until all components are ready
 *   int64_t start, end;                                     // simulation: window by window
 *   while (couple_next_window(s, &start, &end) == 1) {
 *     const couple_spike *spikes;
 *     int64_t n = couple_port_spikes(s, in.number, &spikes);   // what arrived for this window
 *     ... simulate (start, end] ...
 *     couple_emit(s, out.number, index, time);                // start < time <= end
 *   }
 *   couple_finish(s);                                       // waits until all components are done
 *   couple_close(s);
 *
 * Errors: a function that returns an integer returns a negative one, couple_connect and couple_description return NULL;
 * couple_last_error() then gives the text, with place and remedy. After an error of couple_start,
 * couple_next_window or couple_finish the session is over and the coordinator knows; call couple_close. A program that
 * cannot go on for another reason says so by couple_fail, and ends with a code that is not 0.
 *
 * In C++, couple.hpp has all of this as classes.
 *
 * Units: times are nanoseconds since the start of the run. A window is (start, end]: open on the left, closed on the
 * right. The time stamp of a spike is the end of the step in which the threshold was crossed. Indices are global, that
 * is, within the whole population. Weights, parameters and initial values are in PyNN's units: nA, uS, mV, ms, nF.
 *
 * Threads: a session may be used by one thread at a time. Error texts belong to the thread that made the call.
 */
#ifndef COUPLE_H
#define COUPLE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A component's rank in a run. */
typedef struct couple_session couple_session;

/* Spikes of one neuron with one time stamp. */
typedef struct {
  int64_t time_ns;
  uint32_t index;
  uint32_t count; /* how many; 1 for spikes that come over a link */
} couple_spike;

/* Synapses of a projection, as columns of length n. */
typedef struct {
  uint32_t *pre;     /* presynaptic neuron */
  uint32_t *post;    /* postsynaptic neuron */
  double *weight;    /* on the grid on which sums are exact */
  int64_t *delay_ns; /* a multiple of the component's step */
  size_t n;
} couple_synapse_table;

/* A message that arrived. */
typedef struct {
  int64_t time_ns;   /* the sender's stamp plus the link's delay */
  const void *bytes; /* any bytes; not a C string */
  size_t n;
} couple_message;

/* ---- setup ------------------------------------------------------------------------------------------------------ */

/* Connects to the coordinator that started this process, by way of the environment. NULL on error. */
couple_session *couple_connect(void);

/* The text of this thread's last error; empty before the first one. Valid until the thread's next call. */
const char *couple_last_error(void);

/* What the run is and what this rank's part of it is, as a JSON object. Valid until couple_close.
 *
 *   component, rank, ranks, threads    who this is
 *   step_ns, window_ns, duration_ns    also as step_ms, window_ms, duration_ms
 *   seed, run, script, command         of the configuration; script is null where there is none
 *   cvode                              { atol, condition_order } of a NEURON component with a variable step, or null
 *   populations[]                      all of them, also those of other components:
 *     id, name, size, component        id is what couple_values and couple_stimulus want
 *     local                            true when it lives in this component
 *     first, count                     the block of neurons that this rank owns; count is 0 when not local
 *     cell                             a PyNN standard cell, or null
 *     params, initial                  a number where it is the same for all neurons, null where it differs: then
 *                                      couple_values has it
 *     stimulus                         true for spike sources: see couple_stimulus
 *     output                           number for couple_emit, or null where nobody wants its spikes
 *     variables[]                      name; unit, of an analog signal; message, true for a message port
 *   projections[]
 *     id, name, from, to               from and to are ids of populations
 *     receptor                         "excitatory" or "inhibitory"
 *     min_delay_ns, max_delay_ns       the shortest and the longest delay that can occur
 *     grid                             weights are multiples of this, the grid of the receptor
 *     internal                         true when both populations live in this component
 *   inputs[]                           the links that arrive here
 *     index                            number for couple_input_events and couple_need
 *     link, source, source_id, width   the population it comes from; its size
 *     min_delay_ns                     its lookahead
 *     delay_ns                         already added to the stamps of its spikes
 *     target                           the receiving port; null when the link feeds projections, whose synapses have
 *                                      their own delays
 *   signals_out[]                      analog signals that this rank writes in each window
 *     index                            number for couple_write_samples
 *     population, variable, unit       what is to be written, in which unit
 *     width, first, count              columns of all ranks; this rank has `count` of them, from `first` on
 *   signals_in[]                       analog signals that arrive here
 *     index                            number for couple_samples
 *     link, source, target             the two ports, as "population.variable"
 *     unit, width, first, count        as above
 *     step_ns                          the sender's step
 *     delay_ns, min_delay_ns           the delay; the link's lookahead
 *     interpolation                    "hold" or "linear"
 *   messages_out[]                     message ports that somebody listens to
 *     index, port                      number for couple_send_message; "population.variable"
 *   messages_in[]                      messages that arrive here
 *     index                            number for couple_messages
 *     link, source, target, delay_ns   the two ports; already added to the stamps of its messages
 */
const char *couple_description(couple_session *session);

/* What a port carries, and which way. */
typedef enum {
  COUPLE_SPIKES_IN = 0,    /* number for couple_port_spikes */
  COUPLE_SPIKES_OUT = 1,   /* number for couple_emit and couple_emit_many */
  COUPLE_SIGNAL_IN = 2,    /* number for couple_samples */
  COUPLE_SIGNAL_OUT = 3,   /* number for couple_write_samples */
  COUPLE_MESSAGES_IN = 4,  /* number for couple_messages */
  COUPLE_MESSAGES_OUT = 5  /* number for couple_send_message */
} couple_kind;

/* A port of this component. */
typedef struct {
  uint32_t number;
  uint32_t width;   /* neurons of the population, or columns of the signal */
  uint32_t first;   /* this rank has those from here on, */
  uint32_t count;   /* so many */
  const char *unit; /* of a signal; "" for spikes and messages. Valid until couple_close. */
} couple_port;

/* The port of a name of the configuration: "population" for spikes, "population.variable" for signals and messages.
 * What is sent to a port that nobody listens to goes nowhere. */
int couple_find(couple_session *session, int kind, const char *name, couple_port *out);

/* The component's step in nanoseconds. */
int64_t couple_step(couple_session *session);

/* Draws the synapses of a projection onto the neurons that this rank owns, ordered by postsynaptic neuron. Every
 * simulator and every number of ranks gets the same synapses. Give the table back with couple_synapses_free. */
int couple_synapses(couple_session *session, uint32_t projection, couple_synapse_table *out);

/* Frees what couple_synapses filled, and empties the table. */
void couple_synapses_free(couple_synapse_table *table);

/* Writes the value of a parameter or state variable for each of the n neurons of `population` that this rank owns. */
int couple_values(couple_session *session, uint32_t population, const char *parameter, double *out, size_t n);

/* Says which source neurons of an input this rank needs, in any order: only their spikes will be sent here. */
int couple_need(couple_session *session, uint32_t input, const uint32_t *indices, size_t n);

/* The same for all inputs, from the description: neurons with a synapse onto a neuron of this rank, and everything for
 * the ports of plain connections. couple_start does this for the inputs for which couple_need was not called. */
int couple_need_default(couple_session *session);

/* Ends the setup and waits until all components are ready. */
int couple_start(couple_session *session);

/* ---- simulation ------------------------------------------------------------------------------------------------- */

/* Sends what was emitted in the window at hand, if there is one, and waits until the next one may be simulated.
 * Returns 1 and the window, or 0 at the end of the run. */
int couple_next_window(couple_session *session, int64_t *start_ns, int64_t *end_ns);

/* The spikes of an input that belong to the window, ordered by time and then by index; returns how many. For an input
 * of min-delay D these are exactly those emitted in (start - D, end - D]. Valid until the next couple_next_window. */
int64_t couple_input_events(couple_session *session, uint32_t input, const couple_spike **events);

/* The spikes that connections bring to a population of this component (COUPLE_SPIKES_IN), from wherever they come, ordered
 * by time and then by index; returns how many. Valid until the next couple_next_window. */
int64_t couple_port_spikes(couple_session *session, uint32_t population, const couple_spike **spikes);

/* The spikes of all neurons of a spike source in (from, to], ordered by time and then by index; returns how many.
 * Stimuli are functions of the description: they are made here, not sent. Can be called in both phases and for any
 * interval; there are none after the end of the run. Valid until the next call for the same population. */
int64_t couple_stimulus(couple_session *session, uint32_t population, int64_t from_ns, int64_t to_ns,
                        const couple_spike **events);

/* Emits a spike of a neuron within the window. */
int couple_emit(couple_session *session, uint32_t output, uint32_t index, int64_t time_ns);

/* Emits n spikes: of neuron indices[i] at times_ns[i]. After an error, those before the wrong one have been emitted. */
int couple_emit_many(couple_session *session, uint32_t output, const uint32_t *indices, const int64_t *times_ns,
                     size_t n);

/* ---- input tables ----------------------------------------------------------------------------------------------- */

/* For components that keep their synapses here and hand their simulator sums: synaptic input by place and time of
 * arrival. A place is where input adds up, for example a receptor of a neuron. Sums of weights are exact, so that the
 * order in which spikes were given cannot be told from them. A table is used by one thread at a time. */
typedef struct couple_table couple_table;

/* A table of places 0, ..., places - 1. Arrivals between two multiples of grid_ns count as of the later one; 1 leaves all
 * times as they are. NULL on error. */
couple_table *couple_table_new(uint32_t places, int64_t grid_ns);

/* Adds the synapses of a source of `width` neurons; `post` holds places. Returns the number of the source. */
int64_t couple_table_source(couple_table *table, uint32_t width, const couple_synapse_table *synapses);

/* How the weights of a projection change: docs/plasticity.md. Times in ms, weights in the unit of the synapses. */
typedef struct {
  int32_t kind;                       /* 0: Tsodyks-Markram, 1: STDP */
  double unit;                        /* `grid` of the projection in couple_description: what arrives is rounded to it */
  double u, tau_rec, tau_facil;       /* Tsodyks-Markram */
  double tau_plus, tau_minus, a_plus, a_minus, w_min, w_max, mu_plus, mu_minus; /* STDP */
} couple_plasticity;

/* Adds the plastic synapses of a projection as a source of their own; returns its number. `neurons` has for each synapse
 * the number of its postsynaptic neuron, of the component's own choice. */
int64_t couple_table_plastic(couple_table *table, uint32_t width, const couple_synapse_table *synapses,
                             const uint32_t *neurons, const couple_plasticity *rule);

/* Spikes of postsynaptic neurons (index is their number), in order of time for each. Before input is taken up to t + d,
 * with d the shortest delay of plastic synapses, all up to t must have been given. */
int couple_table_posts(couple_table *table, const couple_spike *spikes, size_t n);

/* Spikes of a source, each of which must arrive after what has been taken. */
int couple_table_spikes(couple_table *table, uint32_t source, const couple_spike *spikes, size_t n);

/* At time_ns[i] arrives sum[j] at place[j], for j from first[i] to first[i + 1] - 1; places ascend. */
typedef struct {
  size_t times;
  const int64_t *time_ns;
  const size_t *first; /* times + 1 of them */
  const uint32_t *place;
  const double *sum;
} couple_arrivals;

/* What arrives up to until_ns (included) and has not been taken. Valid until the next call for the table. */
int couple_table_take(couple_table *table, int64_t until_ns, couple_arrivals *out);

void couple_table_free(couple_table *table);

/* ---- signals and messages ---------------------------------------------------------------------------------------- */

/* Gives the samples of the window of an analog signal, in its unit: a row for each step of this component that ends in the
 * window, in order of time, and a column for each neuron of this rank, row by row. Once in each window, before the next
 * couple_next_window. After an error the session is over, and the coordinator knows why. */
int couple_write_samples(couple_session *session, uint32_t signal_out, const double *values, size_t rows,
                         size_t columns);

/* What the window sees of an analog signal that arrives, row by row: a row for its start and one for the end of each of
 * this component's steps, hence steps + 1 rows, and a column for each neuron of this rank. The row of time t is the signal
 * at t - delay. The first row is the last one of the window before. Valid until the next couple_next_window. */
int couple_samples(couple_session *session, uint32_t signal_in, const double **values, size_t *rows, size_t *columns);

/* Sends a message of n bytes, 65536 at most, stamped within the window. After an error the session is over. */
int couple_send_message(couple_session *session, uint32_t message_out, int64_t time_ns, const void *bytes, size_t n);

/* The messages of a port that belong to the window, ordered by time and then as they were sent; returns how many. Valid
 * until the next couple_next_window. */
int64_t couple_messages(couple_session *session, uint32_t message_in, const couple_message **messages);

/* ---- end -------------------------------------------------------------------------------------------------------- */

/* After couple_next_window returned 0: says so, and waits until all components are done. */
int couple_finish(couple_session *session);

/* In either phase: tells the coordinator that this component cannot go on, and why. It ends the run. */
void couple_fail(couple_session *session, const char *message);

/* Frees the session. Without couple_finish or couple_fail before, the run ends as failed. NULL is allowed. */
void couple_close(couple_session *session);

#ifdef __cplusplus
}
#endif

#endif
