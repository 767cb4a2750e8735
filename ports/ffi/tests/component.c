/* A component in C: relays each spike of its input one window later, and checks what it is told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "couple.h"

static void check(int good, const char *what) {
  if (good) return;
  fprintf(stderr, "%s: %s\n", what, couple_last_error());
  exit(3);
}

static void check_tables(couple_session *s, const char *description) {
  couple_synapse_table table;
  double values[2];
  size_t i;
  check(couple_synapses(s, 0, &table) == 0, "synapses");
  check(table.n == 6, "the number of synapses");
  for (i = 0; i < table.n; ++i) {
    check(table.post[i] == i / 3 && table.pre[i] == i % 3, "pairs");
    check(table.weight[i] == 0.5 && table.delay_ns[i] == 2000000, "weights and delays");
  }
  couple_synapses_free(&table);
  check(table.n == 0 && table.pre == NULL, "an empty table");
  couple_synapses_free(&table);
  check(couple_synapses(s, 7, &table) < 0 && table.n == 0, "a projection that is not there");
  check(strstr(couple_last_error(), "no projection 7") != NULL, "its message");
  check(couple_values(s, 1, "v_thresh", values, 2) == 0, "values");
  check(values[0] == -50.0 && values[1] == -50.0, "v_thresh");
  check(couple_values(s, 1, "v_threshold", values, 2) < 0, "a misspelt parameter");
  check(strstr(couple_last_error(), "`v_threshold`") != NULL, "its message");
  check(couple_values(s, 1, "v", values, 2) == 0 && values[0] != values[1], "drawn values");
  check(strstr(description, "\"name\":\"C\"") != NULL, "the description");
}

int main(int argc, char **argv) {
  const couple_spike *spikes;
  int64_t start = -1, end = -1, n, i, stimuli = 0;
  uint32_t all[3] = {2, 1, 0};
  int more;
  couple_session *s = couple_connect();
  check(s != NULL, "connect");
  check(couple_next_window(s, &start, &end) < 0, "a window before the start is refused");
  check(strstr(couple_last_error(), "after couple_start") != NULL, "its message");
  check_tables(s, couple_description(s));
  if (argc > 1 && strcmp(argv[1], "fail") == 0) {
    couple_fail(s, "no fuel");
    couple_close(s);
    return 3;
  }
  check(couple_stimulus(s, 2, INT64_MIN, INT64_MAX, &spikes) == 4, "all stimuli of the run");
  check(couple_stimulus(s, 2, end, start, &spikes) == 0, "no interval");
  check(couple_need(s, 0, all, 3) == 0, "need");
  all[0] = 3;
  check(couple_need(s, 0, all, 3) < 0, "a neuron that is not there");
  check(couple_start(s) == 0, "start");
  while ((more = couple_next_window(s, &start, &end)) == 1) {
    n = couple_input_events(s, 0, &spikes);
    check(n >= 0, "events");
    for (i = 0; i < n; ++i) {
      check(spikes[i].count == 1 && spikes[i].index < 3, "a spike");
      check(i == 0 || spikes[i].time_ns >= spikes[i - 1].time_ns, "order of time");
      /* Each arrives min-delay, two windows, after its emission. */
      check(couple_emit(s, 0, spikes[i].index % 2, spikes[i].time_ns + 2000000) == 0, "emit");
    }
    check(couple_input_events(s, 0, &spikes) == n, "the same events again");
    check(couple_input_events(s, 9, &spikes) < 0, "an input that is not there");
    n = couple_stimulus(s, 2, start, end, &spikes);
    check(n >= 0, "stimulus");
    for (i = 0; i < n; ++i) stimuli += spikes[i].count;
  }
  check(more == 0, "the end");
  check(stimuli == 4, "the number of stimuli");
  check(end == 20000000, "the last window");
  check(couple_finish(s) == 0, "finish");
  check(couple_next_window(s, &start, &end) < 0, "a window after the end is refused");
  couple_close(s);
  couple_close(NULL);
  check(couple_next_window(NULL, &start, &end) < 0, "no session");
  return 0;
}
