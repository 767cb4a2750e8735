/* A session without a coordinator, for tests of simulator adapters: everything comes from files in a folder.
 *
 *   description.json            what couple_description returns
 *   run                         two int64: window and duration in ns
 *   synapses.<projection>.<c>   columns pre, post, weight, delay
 *   values.<population>.<name>  float64 each
 *   input.<i>                   int64 min_delay in ns, then couple_spike, ordered by time
 *   stimulus.<population>       couple_spike, ordered by time
 *   emitted                     written: struct emitted
 *   failed                      written: the message of couple_fail
 *
 * COUPLE_FAKE_LATE: events of inputs are handed over this many ns too late.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "couple.h"

struct emitted {
  int64_t time_ns;
  uint32_t output, index;
};

static int64_t window_ns, duration_ns, begin_ns, end_ns, late_ns;
static char error[256];
static char *description;
static FILE *emitted;
static struct file {
  char *data;
  size_t size;
} inputs[16], stimuli[256];

static struct file read_file(const char *name) {
  char path[1024];
  struct file f = {NULL, 0};
  snprintf(path, sizeof path, "%s/%s", getenv("COUPLE_FAKE"), name);
  FILE *in = fopen(path, "rb");
  if (!in) return f;
  fseek(in, 0, SEEK_END);
  f.size = (size_t)ftell(in);
  rewind(in);
  f.data = calloc(f.size + 1, 1);
  if (fread(f.data, 1, f.size, in) != f.size) abort();
  fclose(in);
  return f;
}

static struct file read_of(const char *kind, uint32_t id, const char *column) {
  char name[256];
  snprintf(name, sizeof name, column ? "%s.%u.%s" : "%s.%u", kind, id, column);
  return read_file(name);
}

couple_session *couple_connect(void) {
  char path[1024];
  int64_t *run = (int64_t *)read_file("run").data;
  if (!run) return NULL;
  window_ns = run[0], duration_ns = run[1];
  late_ns = getenv("COUPLE_FAKE_LATE") ? atoll(getenv("COUPLE_FAKE_LATE")) : 0;
  description = read_file("description.json").data;
  for (uint32_t i = 0; i < 16; ++i) inputs[i] = read_of("input", i, NULL);
  for (uint32_t i = 0; i < 256; ++i) stimuli[i] = read_of("stimulus", i, NULL);
  snprintf(path, sizeof path, "%s/emitted", getenv("COUPLE_FAKE"));
  emitted = fopen(path, "wb");
  return (couple_session *)&window_ns;
}

const char *couple_last_error(void) { return error; }
const char *couple_description(couple_session *s) { return (void)s, description; }

int couple_synapses(couple_session *s, uint32_t projection, couple_synapse_table *out) {
  struct file pre = read_of("synapses", projection, "pre");
  (void)s;
  out->n = pre.size / 4;
  out->pre = (uint32_t *)pre.data;
  out->post = (uint32_t *)read_of("synapses", projection, "post").data;
  out->weight = (double *)read_of("synapses", projection, "weight").data;
  out->delay_ns = (int64_t *)read_of("synapses", projection, "delay").data;
  return 0;
}
void couple_synapses_free(couple_synapse_table *table) {
  free((void *)table->pre), free((void *)table->post), free((void *)table->weight), free((void *)table->delay_ns);
}

int couple_values(couple_session *s, uint32_t population, const char *parameter, double *out, size_t n) {
  struct file f = read_of("values", population, parameter);
  (void)s;
  if (f.size != n * sizeof *out) {
    snprintf(error, sizeof error, "no %zu values of %s", n, parameter);
    return -1;
  }
  memcpy(out, f.data, f.size);
  free(f.data);
  return 0;
}

int couple_need(couple_session *s, uint32_t input, const uint32_t *indices, size_t n) {
  return (void)s, (void)input, (void)indices, (void)n, 0;
}
int couple_start(couple_session *s) { return (void)s, 0; }

int couple_next_window(couple_session *s, int64_t *start, int64_t *end) {
  (void)s;
  begin_ns = end_ns;
  if (begin_ns >= duration_ns) return 0;
  end_ns = begin_ns + window_ns < duration_ns ? begin_ns + window_ns : duration_ns;
  *start = begin_ns, *end = end_ns;
  return 1;
}

/* The number of events stamped `time_ns` or earlier. */
static size_t until(const couple_spike *all, size_t n, int64_t time_ns) {
  size_t low = 0;
  while (low < n) {
    const size_t middle = (low + n) / 2;
    if (all[middle].time_ns <= time_ns) low = middle + 1;
    else n = middle;
  }
  return low;
}

static int64_t range(const couple_spike *all, size_t n, int64_t from, int64_t to, const couple_spike **events) {
  const size_t first = until(all, n, from), last = until(all, n, to);
  *events = all + first;
  return (int64_t)(last - first);
}

int64_t couple_input_events(couple_session *s, uint32_t input, const couple_spike **events) {
  const int64_t d = *(int64_t *)inputs[input].data + late_ns;
  const couple_spike *all = (const couple_spike *)(inputs[input].data + sizeof(int64_t));
  (void)s;
  return range(all, (inputs[input].size - sizeof(int64_t)) / sizeof *all, begin_ns - d, end_ns - d, events);
}

int64_t couple_stimulus(couple_session *s, uint32_t population, int64_t from, int64_t to,
                        const couple_spike **events) {
  const struct file *f = &stimuli[population];
  (void)s;
  return range((const couple_spike *)f->data, f->size / sizeof(couple_spike), from, to, events);
}

int couple_emit(couple_session *s, uint32_t output, uint32_t index, int64_t time_ns) {
  const struct emitted spike = {time_ns, output, index};
  (void)s;
  if (time_ns <= begin_ns || time_ns > end_ns) {
    snprintf(error, sizeof error, "spike at %lld outside the window", (long long)time_ns);
    return -1;
  }
  fwrite(&spike, sizeof spike, 1, emitted);
  return 0;
}

/* No network here has signals. */
int couple_write_samples(couple_session *s, uint32_t signal, const double *values, size_t rows, size_t columns) {
  return (void)s, (void)signal, (void)values, (void)rows, (void)columns, -1;
}

int couple_samples(couple_session *s, uint32_t signal, const double **values, size_t *rows, size_t *columns) {
  return (void)s, (void)signal, (void)values, (void)rows, (void)columns, -1;
}

int couple_finish(couple_session *s) { return (void)s, fclose(emitted); }

void couple_fail(couple_session *s, const char *message) {
  char path[1024];
  (void)s;
  snprintf(path, sizeof path, "%s/failed", getenv("COUPLE_FAKE"));
  FILE *out = fopen(path, "w");
  fputs(message, out);
  fclose(out);
}
void couple_close(couple_session *s) { (void)s; }
