/* couple: the session of a component, for C and everything that calls C.
 *
 * All functions return 0 or a positive number on success and a negative one on error; couple_last_error() then gives
 * the text. Times are nanoseconds since the start of the run; a window is (start, end]. One session per process,
 * used by one thread at a time.
 */
#ifndef COUPLE_H
#define COUPLE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct couple_session couple_session;

/* Spikes of one neuron with one stamp; `count` is 1 for those that come over links. */
typedef struct {
  int64_t time_ns;
  uint32_t index;
  uint32_t count;
} couple_spike;

/* Synapses of a projection onto the neurons of this rank, as columns of `n`. Global indices; PyNN's units. */
typedef struct {
  uint32_t *pre;
  uint32_t *post;
  double *weight;
  int64_t *delay_ns;
  size_t n;
} couple_synapse_table;

couple_session *couple_connect(void);
const char *couple_last_error(void);
const char *couple_description(couple_session *session);

int couple_synapses(couple_session *session, uint32_t projection, couple_synapse_table *out);
void couple_synapses_free(couple_synapse_table *table);
int couple_values(couple_session *session, uint32_t population, const char *parameter, double *out, size_t n);
int couple_need(couple_session *session, uint32_t input, const uint32_t *indices, size_t n);
int couple_need_default(couple_session *session);
int couple_start(couple_session *session);

int couple_next_window(couple_session *session, int64_t *start_ns, int64_t *end_ns);
int64_t couple_input_events(couple_session *session, uint32_t input, const couple_spike **events);
int64_t couple_stimulus(couple_session *session, uint32_t population, int64_t from_ns, int64_t to_ns,
                        const couple_spike **events);
int couple_emit(couple_session *session, uint32_t output, uint32_t index, int64_t time_ns);

int couple_finish(couple_session *session);
void couple_fail(couple_session *session, const char *message);
void couple_close(couple_session *session);

#ifdef __cplusplus
}
#endif

#endif
