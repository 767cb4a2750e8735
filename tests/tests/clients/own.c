/* Sends back what it gets, or does something wrong, as its argument says. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "couple.h"

static couple_session *session;
static const char *does;

static int64_t good(int64_t result) {
  if (result < 0) {
    fprintf(stderr, "own: %s\n", couple_last_error());
    couple_fail(session, couple_last_error());
    couple_close(session);
    exit(3);
  }
  return result;
}

static int is(const char *what) { return strcmp(does, what) == 0; }

static couple_port find(int kind, const char *name) {
  couple_port port;
  good(couple_find(session, kind, name, &port));
  return port;
}

int main(int argc, char **arguments) {
  couple_port ear, mouth, pull, angle, order, answer;
  const couple_spike *spikes;
  const couple_message *messages;
  const double *seen;
  double block[300];
  char text[100];
  size_t rows, columns, i, k;
  int64_t start, end, n, m;
  does = arguments[argc - 1];
  session = couple_connect();
  good(session ? 0 : -1);
  ear = find(COUPLE_SPIKES_IN, "ear");
  mouth = find(COUPLE_SPIKES_OUT, is("name") ? "mouht" : "mouth");
  pull = find(COUPLE_SIGNAL_IN, "ear.pull");
  angle = find(COUPLE_SIGNAL_OUT, "mouth.angle");
  order = find(COUPLE_MESSAGES_IN, "ear.order");
  answer = find(COUPLE_MESSAGES_OUT, "mouth.answer");
  if (is("before")) good(couple_emit(session, mouth.number, 0, 1));
  if (is("before-write")) good(couple_write_samples(session, angle.number, block, 1, 3));
  good(couple_start(session));
  while (good(couple_next_window(session, &start, &end)) == 1) {
    int late = end > 20000000;
    n = good(couple_port_spikes(session, ear.number, &spikes));
    for (m = 0; m < n; ++m) good(couple_emit(session, mouth.number, spikes[m].index, spikes[m].time_ns));
    good(couple_samples(session, pull.number, &seen, &rows, &columns));
    for (i = columns; i < rows * columns; ++i) block[i - columns] = 2 * seen[i];
    if (late && is("index")) good(couple_emit(session, mouth.number, 3, end));
    if (late && is("past")) good(couple_emit(session, mouth.number, 1, start));
    if (late && is("width")) good(couple_write_samples(session, angle.number, block, rows - 1, 2));
    if (late && is("finite")) block[1] = NAN;
    if (late && is("message-past")) good(couple_send_message(session, answer.number, start, "late", 4));
    if (late && is("twice")) good(couple_write_samples(session, angle.number, block, rows - 1, columns));
    if (late && is("early")) return 0;
    if (late && is("exception")) {
      couple_fail(session, "the arm is broken");
      return 3;
    }
    if (!late || !is("forgotten")) good(couple_write_samples(session, angle.number, block, rows - 1, columns));
    n = good(couple_messages(session, order.number, &messages));
    for (m = 0; m < n; ++m) {
      for (k = 0; k < messages[m].n; ++k) text[k] = ((const char *)messages[m].bytes)[messages[m].n - 1 - k];
      good(couple_send_message(session, answer.number, messages[m].time_ns, text, messages[m].n));
    }
  }
  if (is("again")) good(couple_next_window(session, &start, &end));
  good(couple_finish(session));
  if (is("after")) good(couple_port_spikes(session, ear.number, &spikes));
  couple_close(session);
  return 0;
}
