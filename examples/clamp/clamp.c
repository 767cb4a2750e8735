/* A dynamic clamp: gives each cell the current of an artificial conductance, g (E - v). */
#include <stdio.h>
#include <stdlib.h>

#include "couple.h"

#define REVERSAL (-75.0) /* mV */

static couple_session *session;

/* An error ends the program and the run, with its text as the reason. */
static int64_t good(int64_t result) {
  if (result < 0) {
    fprintf(stderr, "clamp: %s\n", couple_last_error());
    couple_fail(session, couple_last_error());
    exit(3);
  }
  return result;
}

/* A message is any bytes; here it is a number in uS. */
static double number(const couple_message *message) {
  char text[32];
  snprintf(text, sizeof text, "%.*s", (int)message->n, (const char *)message->bytes);
  return strtod(text, NULL);
}

int main(void) {
  couple_port potential, current, conductance;
  const couple_message *told;
  const double *v;
  double *block = NULL, g = 0.0;
  size_t rows, columns, row, at;
  int64_t start, end, step, n, next;
  session = couple_connect();
  good(session ? 0 : -1);
  good(couple_find(session, COUPLE_SIGNAL_IN, "electrodes.potential", &potential)); /* variables of the configuration */
  good(couple_find(session, COUPLE_MESSAGES_IN, "electrodes.conductance", &conductance));
  good(couple_find(session, COUPLE_SIGNAL_OUT, "electrodes.current", &current));
  step = good(couple_step(session));
  good(couple_start(session));
  while (good(couple_next_window(session, &start, &end)) == 1) {
    n = good(couple_messages(session, conductance.number, &told)); /* ordered by time */
    good(couple_samples(session, potential.number, &v, &rows, &columns));
    block = realloc(block, rows * columns * sizeof *block);
    next = 0;
    for (row = 1; row < rows; ++row) { /* row 0 is the window's start, then comes the end of each step */
      for (; next < n && told[next].time_ns <= start + (int64_t)row * step; ++next) g = number(&told[next]);
      for (at = row * columns; at < (row + 1) * columns; ++at) block[at - columns] = g * (REVERSAL - v[at]); /* nA */
    }
    good(couple_write_samples(session, current.number, block, rows - 1, columns));
  }
  good(couple_finish(session));
  couple_close(session);
  free(block);
  return 0;
}
