/*
 * The load generator: asks the questions of a file over and over, checks every reply, and says in a line of JSON what became of them and
 * what the server's processes spent meanwhile. Its words are those of bench/job.ts, `name=value`. Knows nothing of which server that is.
 */

#define _GNU_SOURCE

#include <sys/prctl.h>

#include "udp.h"
#include "tcp.h"

enum { SOCKETS_MAX = 256, PIDS_MAX = 64 };

/* With nothing to read it sleeps for so long: a server should not have to wake it for each reply. */
static const struct timespec NAP = {.tv_nsec = 20000};
static const double SWEEP = 0.1;

static struct lane lanes[SOCKETS_MAX];
static int sockets, share, is_stream;
static uint16_t port;
static int pids[PIDS_MAX], pid_count;

/* User and system time of the server's processes, in seconds. */
static double server_time(void) {
  double ticks = 0;
  for (int i = 0; i < pid_count; i++) {
    char path[64], text[1024];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pids[i]);
    FILE *file = fopen(path, "r");
    if (file == NULL) continue;
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = 0;
    const char *fields = strrchr(text, ')');
    if (fields != NULL) sscanf(fields, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    ticks += (double)(user + system);
  }
  return ticks / (double)sysconf(_SC_CLK_TCK);
}

static int all_waiting(void) {
  int all = 0;
  for (int i = 0; i < sockets; i++) all += waiting(&lanes[i]);
  return all;
}

static void sweep(double *swept) {
  double at = now();
  if (at - *swept < SWEEP) return;
  *swept = at;
  for (int i = 0; i < sockets; i++) expire(&lanes[i], at - DEADLINE);
}

/* Keeps each lane's share of the window on the way until `end`, or until all is asked and answered: in bursts of half of it, as many clients are. */
static void run_closed(double end) {
  double swept = now();
  for (;;) {
    int taken = 0;
    for (int i = 0; i < sockets; i++) {
      struct lane *lane = &lanes[i];
      taken += is_stream ? receive_stream(lane, port) : receive_replies(lane);
      int room = share - waiting(lane);
      if (room < (share + 1) / 2 && !(is_stream && lane->out_size > 0)) continue;
      if (is_stream) send_stream(lane, room);
      else while (room > 0) {
        int sent = send_queries(lane, room, now(), 0);
        if (sent == 0) break;
        room -= sent;
      }
    }
    sweep(&swept);
    if (now() >= end) return;
    if (tally.asked >= limit && all_waiting() == 0) return;
    if (taken == 0) nanosleep(&NAP, NULL);
  }
}

/* Asks `rate` questions a second until `end`, whether there are replies or not: a latency begins when its query was due. */
static void run_open(double end, double rate) {
  double begun = now(), swept = begun;
  uint64_t sent = 0;
  for (int turn = 0;; turn = (turn + 1) % sockets) {
    double at = now();
    if (at >= end) return;
    int64_t due = (int64_t)((at - begun) * rate) + 1 - (int64_t)sent;
    if (due > 0) sent += (uint64_t)send_queries(&lanes[turn], due > BATCH ? BATCH : (int)due, begun + (double)sent / rate, 1 / rate);
    for (int i = 0; i < sockets; i++) receive_replies(&lanes[i]);
    sweep(&swept);
  }
}

static int by_value(const void *a, const void *b) {
  float first = *(const float *)a, second = *(const float *)b;
  return first < second ? -1 : first > second;
}

/* Milliseconds. */
static double latency_at(double part) {
  if (tally.latency_count == 0) return 0;
  size_t index = (size_t)(part * (double)tally.latency_count);
  return tally.latencies[index < tally.latency_count ? index : tally.latency_count - 1] / 1e3;
}

static void say_text(const char *text) {
  putchar('"');
  for (; *text != 0; text++) {
    if (*text == '"' || *text == '\\') putchar('\\');
    if ((unsigned char)*text >= ' ' && (unsigned char)*text < 127) putchar(*text);
  }
  putchar('"');
}

static const char *word_of(int count, char **words, const char *name, const char *otherwise) {
  size_t size = strlen(name);
  for (int i = 1; i < count; i++)
    if (strncmp(words[i], name, size) == 0 && words[i][size] == '=') return words[i] + size + 1;
  if (otherwise == NULL) fprintf(stderr, "%s= is missing\n", name), exit(2);
  return otherwise;
}

int main(int argc, char **argv) {
  prctl(PR_SET_TIMERSLACK, 1000);
  prctl(PR_SET_PDEATHSIG, 9);
  questions = read_questions(word_of(argc, argv, "file", NULL));
  is_stream = strcmp(word_of(argc, argv, "transport", NULL), "tcp") == 0;
  port = (uint16_t)atoi(word_of(argc, argv, "port", NULL));
  sockets = atoi(word_of(argc, argv, "sockets", NULL));
  share = atoi(word_of(argc, argv, "window", NULL)) / sockets;
  double warm_up = atof(word_of(argc, argv, "warmUp", NULL)) / 1e3;
  double duration = atof(word_of(argc, argv, "duration", NULL)) / 1e3;
  double rate = atof(word_of(argc, argv, "rate", "0"));
  uint64_t count = strtoull(word_of(argc, argv, "count", "0"), NULL, 10);
  for (const char *text = word_of(argc, argv, "pids", NULL); pid_count < PIDS_MAX && *text != 0;) {
    pids[pid_count++] = (int)strtol(text, (char **)&text, 10);
    if (*text == ',') text++;
  }
  int slots = rate > 0 ? OPEN_SLOTS : CLOSED_SLOTS;
  if (questions.count == 0 || sockets < 1 || sockets > SOCKETS_MAX || share < 1 || share > CLOSED_SLOTS)
    fprintf(stderr, "what is asked, the sockets or the window is out of range\n"), exit(2);
  for (int i = 0; i < sockets; i++) {
    if (is_stream) open_stream(&lanes[i], port, slots);
    else open_lane(&lanes[i], open_datagrams(port), slots);
  }

  /* Every question once, so that caches hold what they can. */
  if (!(questions.list[0].flags & IS_COUNTED)) {
    limit = questions.count;
    run_closed(1e300);
  }
  limit = UINT64_MAX;
  if (warm_up > 0) {
    if (rate > 0) run_open(now() + warm_up, rate);
    else run_closed(now() + warm_up);
  }
  if (rate > 0) {
    tally.latency_max = (size_t)(rate * (duration + DEADLINE)) + OPEN_SLOTS;
    tally.latencies = calloc(tally.latency_max, sizeof *tally.latencies);
  }
  uint64_t answered = tally.answered;
  double begun = now(), spent = server_time();
  if (count > 0) limit = tally.asked + count;
  if (rate > 0) run_open(begun + duration, rate);
  else run_closed(count > 0 ? 1e300 : begun + duration);
  answered = tally.answered - answered;
  double elapsed = now() - begun;
  spent = server_time() - spent;
  limit = 0;
  run_closed(1e300);

  qsort(tally.latencies, tally.latency_count, sizeof(float), by_value);
  printf("{\"answered\":%llu,\"elapsed\":%.3f,\"cpuTime\":%.0f,", (unsigned long long)answered, elapsed * 1e3, spent * 1e6);
  printf("\"latency\":{\"p50\":%.4f,\"p99\":%.4f,\"p999\":%.4f,\"max\":%.4f},", latency_at(0.5), latency_at(0.99),
         latency_at(0.999), latency_at(1));
  printf("\"tally\":{\"asked\":%llu,\"answered\":%llu,\"missing\":%llu,\"wrong\":%llu,\"faults\":[",
         (unsigned long long)tally.asked, (unsigned long long)tally.answered, (unsigned long long)tally.missing,
         (unsigned long long)tally.wrong);
  for (uint64_t i = 0; i < tally.wrong && i < FAULTS_KEPT; i++) {
    if (i > 0) putchar(',');
    say_text(tally.faults[i]);
  }
  printf("]}}\n");
  return 0;
}
