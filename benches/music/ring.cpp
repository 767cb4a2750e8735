// A ring of MUSIC applications, each sending `events` events a tick to the next one: the peer of the exchange benchmark.
// usage (by `music` with a configuration that names the applications p0, p1, ...): ring EVENTS TICKS
#include <mpi.h>
#include <music.hh>

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace {
constexpr double kTick = 1e-3;

struct Counter : MUSIC::EventHandlerGlobalIndex {
  long received = 0;
  void operator()(double, MUSIC::GlobalIndex) override { ++received; }
};
}  // namespace

int main(int argc, char** argv) {
  MUSIC::Setup* setup = new MUSIC::Setup(argc, argv);
  if (argc < 3) return 2;
  const int events = std::atoi(argv[1]);
  const long ticks = std::atol(argv[2]);
  const int width = events > 0 ? events : 1;

  MUSIC::EventOutputPort* out = setup->publishEventOutput("out");
  MUSIC::EventInputPort* in = setup->publishEventInput("in");
  MUSIC::LinearIndex outIndices(MUSIC::GlobalIndex(0), width);
  MUSIC::LinearIndex inIndices(MUSIC::GlobalIndex(0), width);
  Counter counter;
  out->map(&outIndices, MUSIC::Index::GLOBAL, 1);
  in->map(&inIndices, &counter, kTick, 1);

  MUSIC::Runtime runtime(setup, kTick);
  const long warmUp = ticks / 10;
  auto begin = std::chrono::steady_clock::now();
  for (long tick = 0; tick < ticks + warmUp; ++tick) {
    if (tick == warmUp) begin = std::chrono::steady_clock::now();
    const double now = runtime.time();
    for (int i = 0; i < events; ++i) out->insertEvent(now + 0.5 * kTick, MUSIC::GlobalIndex(i));
    runtime.tick();
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("us_per_tick %.4f received %ld\n", seconds / ticks * 1e6, counter.received);
  runtime.finalize();
  return 0;
}
