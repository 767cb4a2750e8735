/* A muscle: spikes of motor neurons pull it together, and its stretch receptors fire while it is long. */
#include <stdio.h>
#include <stdlib.h>

#include "couple.h"

enum { STEP_NS = 1000000, RECEPTORS = 10, STRETCH = 0 /* the only output */, ENDPLATES = 0 /* the only input */ };

/* An error is in the session's hands already; it only has to be said and to end the program. */
static int64_t good(int64_t result, const char *what) {
  if (result < 0) {
    fprintf(stderr, "muscle: %s: %s\n", what, couple_last_error());
    exit(3);
  }
  return result;
}

int main(void) {
  const couple_spike *spikes;
  int64_t start, end, now, n, next, receptor, pull = 0;
  couple_session *session = couple_connect();
  good(session ? 0 : -1, "connect");
  good(couple_start(session), "start");
  while (good(couple_next_window(session, &start, &end), "next window") == 1) {
    n = good(couple_input_events(session, ENDPLATES, &spikes), "input"); /* ordered by time */
    next = 0;
    for (now = start + STEP_NS; now <= end; now += STEP_NS) {
      pull -= pull / 16;
      for (; next < n && spikes[next].time_ns <= now; ++next) ++pull;
      receptor = now / STEP_NS % RECEPTORS;
      if (pull < 8 * (receptor + 1)) good(couple_emit(session, STRETCH, (uint32_t)receptor, now), "emit");
    }
  }
  good(couple_finish(session), "finish");
  couple_close(session);
  return 0;
}
