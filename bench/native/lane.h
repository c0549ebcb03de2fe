/* One socket or connection with the queries that wait on it: ids, deadlines, latencies, and the tally of all lanes. Knows no system calls but the clock. */

#include <time.h>

#include "questions.h"

/* Later than this is missing: no server takes so long, a busy machine may. */
#define DEADLINE 2.0
enum { FAULTS_KEPT = 5, FAULT_SIZE = 512, CLOSED_SLOTS = 256, OPEN_SLOTS = 16384 };

/* Seconds since any moment. */
static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct {
  uint64_t asked, answered, missing, wrong;
  char faults[FAULTS_KEPT][FAULT_SIZE];
  /* Microseconds, while `latencies` is not NULL. */
  float *latencies;
  size_t latency_count, latency_max;
} tally;

static struct questions questions;
/* How many may be asked in all. */
static uint64_t limit;

/* One query on the way. */
struct slot {
  const struct question *question;
  uint32_t number;
  /* Moves with each use, so that the same id means something else soon after. */
  uint16_t round;
  uint8_t is_waiting;
  double since;
};

struct lane {
  int fd;
  struct slot *slots;
  uint16_t *free;
  int slot_count, free_count, expired;
  /* Of a stream: what was read and is no whole message yet, what is not written yet. */
  uint8_t *in, *out;
  size_t in_size, out_size, out_sent;
};

static void open_lane(struct lane *lane, int fd, int slot_count) {
  *lane = (struct lane){.fd = fd, .slot_count = slot_count, .free_count = slot_count};
  lane->slots = calloc((size_t)slot_count, sizeof *lane->slots);
  lane->free = calloc((size_t)slot_count, sizeof *lane->free);
  for (int i = 0; i < slot_count; i++) lane->free[i] = (uint16_t)(slot_count - 1 - i);
}

static int waiting(const struct lane *lane) { return lane->slot_count - lane->free_count; }

/* Writes the next query, due at `since`; its size, or 0 if there may be none. */
static size_t next_query(struct lane *lane, uint8_t *at, double since) {
  if (tally.asked >= limit || lane->free_count == 0) return 0;
  uint16_t index = lane->free[--lane->free_count];
  struct slot *slot = &lane->slots[index];
  slot->question = &questions.list[tally.asked % questions.count];
  slot->number = (uint32_t)tally.asked & 0xffffff;
  slot->round++;
  slot->is_waiting = 1;
  slot->since = since;
  tally.asked++;
  memcpy(at, slot->question->query, slot->question->size);
  write16(at, (uint16_t)(index + slot->round * lane->slot_count));
  if (slot->question->flags & IS_COUNTED) {
    for (int i = 0; i < COUNTED_DIGITS; i++)
      at[COUNTED_AT + i] = (uint8_t)"0123456789abcdef"[slot->number >> (4 * (COUNTED_DIGITS - 1 - i)) & 15];
  }
  return slot->question->size;
}

static void note_fault(const struct question *question, const char *fault) {
  if (tally.wrong++ >= FAULTS_KEPT) return;
  char name[NAME_MAX_SIZE + 1] = "";
  for (size_t at = HEADER_SIZE, end = 0; question != NULL && question->query[at] != 0; at += 1u + question->query[at]) {
    memcpy(name + end, question->query + at + 1, question->query[at]);
    end += question->query[at];
    name[end++] = '.';
    name[end] = 0;
  }
  snprintf(tally.faults[tally.wrong - 1], FAULT_SIZE, "%s%s%s", name, question == NULL ? "" : ": ", fault);
}

static void note_latency(double seconds) {
  if (tally.latencies != NULL && tally.latency_count < tally.latency_max)
    tally.latencies[tally.latency_count++] = (float)(seconds * 1e6);
}

static void release(struct lane *lane, struct slot *slot) {
  slot->is_waiting = 0;
  lane->free[lane->free_count++] = (uint16_t)(slot - lane->slots);
}

static void take_reply(struct lane *lane, const uint8_t *reply, size_t size, double at) {
  uint16_t id = size < 2 ? 0 : read16(reply);
  struct slot *slot = &lane->slots[id % lane->slot_count];
  uint16_t expected = (uint16_t)(slot - lane->slots + slot->round * lane->slot_count);
  if (size < 2 || !slot->is_waiting || id != expected) {
    if (lane->expired > 0) lane->expired--; /* late, not wrong */
    else note_fault(NULL, "a reply that nobody asked for");
    return;
  }
  release(lane, slot);
  const char *fault = fault_of(reply, size, slot->question, slot->number);
  if (fault != NULL) return note_fault(slot->question, fault);
  tally.answered++;
  note_latency(at - slot->since);
}

/* Gives up what has waited since before `oldest`. */
static void expire(struct lane *lane, double oldest) {
  for (int i = 0; i < lane->slot_count; i++) {
    struct slot *slot = &lane->slots[i];
    if (!slot->is_waiting || slot->since >= oldest) continue;
    release(lane, slot);
    lane->expired++;
    tally.missing++;
    note_latency(DEADLINE);
  }
}
