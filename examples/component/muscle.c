/* A muscle: spikes of motor neurons pull it together, and its stretch receptors fire while it is long. */
#include <stdio.h>
#include <stdlib.h>

#include "couple.h"

enum { STEP_NS = 1000000 };

static couple_session *session;

/* An error ends the program and the run, with its text as the reason. */
static int64_t good(int64_t result) {
  if (result < 0) {
    fprintf(stderr, "muscle: %s\n", couple_last_error());
    couple_fail(session, couple_last_error());
    exit(3);
  }
  return result;
}

int main(void) {
  couple_port endplates, stretch;
  const couple_spike *spikes;
  int64_t start, end, now, n, next, receptor, pull = 0;
  session = couple_connect();
  good(session ? 0 : -1);
  good(couple_find(session, COUPLE_SPIKES_IN, "endplates", &endplates)); /* populations of the configuration */
  good(couple_find(session, COUPLE_SPIKES_OUT, "stretch", &stretch));
  good(couple_start(session));
  while (good(couple_next_window(session, &start, &end)) == 1) {
    n = good(couple_port_spikes(session, endplates.number, &spikes)); /* ordered by time */
    next = 0;
    for (now = start + STEP_NS; now <= end; now += STEP_NS) {
      pull -= pull / 16;
      for (; next < n && spikes[next].time_ns <= now; ++next) ++pull;
      receptor = now / STEP_NS % stretch.width;
      if (pull < 8 * (receptor + 1)) good(couple_emit(session, stretch.number, (uint32_t)receptor, now));
    }
  }
  good(couple_finish(session));
  couple_close(session);
  return 0;
}
