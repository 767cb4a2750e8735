/* A component in C that takes a signal and messages, doubles the one, and sends the others back. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "couple.h"

enum { STEPS = 4, COLUMNS = 3 };

static void check(int good, const char *what) {
  if (good) return;
  fprintf(stderr, "%s: %s\n", what, couple_last_error());
  exit(3);
}

/* What each kind of bad use leads to; the session tells the coordinator. */
static int misuse(couple_session *s, const char *how, int64_t end) {
  double block[STEPS * COLUMNS] = {0.0};
  static char message[70000];
  if (strcmp(how, "shape") == 0) return couple_write_samples(s, 0, block, STEPS, COLUMNS - 1);
  if (strcmp(how, "infinite") == 0) {
    block[COLUMNS + 2] = HUGE_VAL;
    return couple_write_samples(s, 0, block, STEPS, COLUMNS);
  }
  if (strcmp(how, "long") == 0) return couple_send_message(s, 0, end, message, 70000);
  if (strcmp(how, "late") == 0) return couple_send_message(s, 0, end + 1, message, 1);
  return 0; /* "missing": nothing is written */
}

int main(int argc, char **argv) {
  const double *values, *again;
  const couple_message *messages;
  couple_port unheard, silent;
  double block[STEPS * COLUMNS];
  int64_t start, end, n, i;
  size_t rows, columns, row, column;
  const char *description;
  int more;
  couple_session *s = couple_connect();
  check(s != NULL, "connect");
  description = couple_description(s);
  check(strstr(description, "\"signals_in\":[{\"count\":3") != NULL, "signals_in");
  check(strstr(description, "\"source\":\"R.v\"") != NULL, "its source");
  check(strstr(description, "\"interpolation\":\"hold\"") != NULL, "its interpolation");
  check(strstr(description, "\"variable\":\"doubled\"") != NULL, "signals_out");
  check(strstr(description, "\"port\":\"C.answer\"") != NULL, "messages_out");
  check(strstr(description, "\"target\":\"C.question\"") != NULL, "messages_in");
  check(strstr(description, "\"name\":\"question\"") != NULL, "the population's variables");
  check(couple_write_samples(s, 0, block, STEPS, COLUMNS) < 0, "samples before the start");
  check(strstr(couple_last_error(), "after couple_start") != NULL, "its message");
  check(couple_find(s, COUPLE_SIGNAL_OUT, "C.unheard", &unheard) == 0, "a signal that nobody wants");
  check(couple_find(s, COUPLE_MESSAGES_OUT, "C.silent", &silent) == 0, "a message port that nobody listens to");
  check(couple_find(s, COUPLE_MESSAGES_IN, "C.silent", &silent) == 0, "a message port that nobody sends to");
  check(couple_start(s) == 0, "start");
  while ((more = couple_next_window(s, &start, &end)) == 1) {
    if (argc > 1 && argv[1][0] != 0) {
      if (misuse(s, argv[1], end) == 0) couple_next_window(s, &start, &end);
      fprintf(stderr, "%s\n", couple_last_error());
      couple_close(s);
      return 3;
    }
    check(couple_samples(s, 0, &values, &rows, &columns) == 0, "samples");
    check(rows == STEPS + 1 && columns == COLUMNS, "their shape");
    check(couple_samples(s, 0, &again, &rows, &columns) == 0 && again == values, "the same samples again");
    for (row = 0; row < STEPS; ++row)
      for (column = 0; column < COLUMNS; ++column)
        block[row * COLUMNS + column] = 2.0 * values[(row + 1) * COLUMNS + column];
    check(couple_write_samples(s, 0, block, STEPS, COLUMNS) == 0, "write");
    check(couple_write_samples(s, unheard.number, block, STEPS, COLUMNS) == 0, "write to nobody");
    check(couple_write_samples(s, unheard.number, block, 1, COLUMNS) < 0, "the wrong shape to nobody");
    check(strstr(couple_last_error(), "4 steps") != NULL, "its message");
    check(couple_send_message(s, silent.number, end, "x", 1) == 0, "send to nobody");
    check(couple_messages(s, silent.number, &messages) == 0, "messages of nobody");
    n = couple_messages(s, 0, &messages);
    check(n >= 0, "messages");
    for (i = 0; i < n; ++i) {
      check(messages[i].time_ns > start && messages[i].time_ns <= end, "the time of a message");
      check(couple_send_message(s, 0, messages[i].time_ns, messages[i].bytes, messages[i].n) == 0, "send");
    }
    check(couple_messages(s, 0, &messages) == n, "the same messages again");
    check(couple_messages(s, 7, &messages) < 0, "a port that is not there");
    check(strstr(couple_last_error(), "no incoming message port 7") != NULL, "its message");
    check(couple_write_samples(s, 0, NULL, STEPS, COLUMNS) < 0, "no values");
    check(strstr(couple_last_error(), "`values` is NULL") != NULL, "its message");
  }
  check(more == 0, "the end");
  check(couple_finish(s) == 0, "finish");
  couple_close(s);
  return 0;
}
