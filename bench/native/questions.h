/* The questions of a bench as bench/question-file.ts writes them, and whether a reply is the right one. Knows no sockets. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_SIZE = 12, TYPE_A = 1, TYPE_CNAME = 5, TYPE_SOA = 6, TYPE_PTR = 12, TYPE_AAAA = 28, TYPE_SRV = 33, NAME_MAX_SIZE = 255, RECORD_MAX = 2 + 6 + 255 };

/* What bench/question-file.ts writes into a question's octet of flags. */
enum { WANTS_SOA = 1, IS_TRUNCATED = 2, IS_COUNTED = 4 };

/* Of a counted question: where its six digits are, and the first octet of the address that has the number behind it. */
enum { COUNTED_AT = HEADER_SIZE + 3, COUNTED_DIGITS = 6, COUNTED_NET = 11 };

struct record {
  uint8_t size;
  const uint8_t *octets;
};

struct question {
  const uint8_t *query;
  uint16_t size;
  /* Behind the class: what follows are additional records. */
  uint16_t question_end;
  uint8_t rcode;
  uint8_t flags;
  uint16_t count;
  /* In ascending order: type and rdata, names in it in full. */
  struct record *records;
  uint64_t sum;
};

struct questions {
  uint32_t count;
  struct question *list;
};

static uint16_t read16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }

static void write16(uint8_t *at, uint16_t value) {
  at[0] = (uint8_t)(value >> 8);
  at[1] = (uint8_t)value;
}

/* The sum of these does not depend on the order of the records (FNV-1a with a final mix). */
static uint64_t hash(const uint8_t *octets, size_t size) {
  uint64_t value = 0xcbf29ce484222325;
  for (size_t i = 0; i < size; i++) value = (value ^ octets[i]) * 0x100000001b3;
  value ^= value >> 32;
  return value * 0x9e3779b97f4a7c15;
}

static struct questions read_questions(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) perror(path), exit(1);
  fseek(file, 0, SEEK_END);
  size_t size = (size_t)ftell(file);
  rewind(file);
  uint8_t *at = malloc(size);
  if (at == NULL || fread(at, 1, size, file) != size || size < 4) fprintf(stderr, "%s cannot be read\n", path), exit(1);
  fclose(file);
  struct questions all = {.count = (uint32_t)read16(at) << 16 | read16(at + 2)};
  all.list = calloc(all.count, sizeof *all.list);
  at += 4;
  for (uint32_t i = 0; i < all.count; i++) {
    struct question *one = &all.list[i];
    one->size = read16(at);
    one->question_end = read16(at + 2);
    one->rcode = at[4];
    one->flags = at[5];
    one->count = read16(at + 6);
    one->query = at + 8;
    at += 8 + one->size;
    one->records = calloc(one->count, sizeof *one->records);
    for (int r = 0; r < one->count; r++) {
      one->records[r] = (struct record){.size = at[0], .octets = at + 1};
      one->sum += hash(at + 1, at[0]);
      at += 1 + at[0];
    }
  }
  return all;
}

/* The offset behind the name at `at`; 0 if it does not end within the message. */
static size_t skip_name(const uint8_t *message, size_t size, size_t at) {
  while (at < size) {
    if (message[at] == 0) return at + 1;
    if (message[at] >= 0xc0) return at + 2 <= size ? at + 2 : 0;
    at += 1u + message[at];
  }
  return 0;
}

/* Copies the name at `at` without compression, in lower case; its size, or 0 if it is no name. */
static size_t copy_name(const uint8_t *message, size_t size, size_t at, uint8_t *name) {
  size_t written = 0;
  for (int jumps = 0; at < size;) {
    uint8_t length = message[at];
    if (length >= 0xc0) {
      if (at + 1 >= size || ++jumps > 16) return 0;
      at = read16(message + at) & 0x3fff;
      continue;
    }
    if (length >= 64 || at + 1 + length > size || written + 1 + length > NAME_MAX_SIZE) return 0;
    name[written++] = length;
    for (int i = 1; i <= length; i++) {
      uint8_t octet = message[at + i];
      name[written++] = octet >= 'A' && octet <= 'Z' ? octet + 32 : octet;
    }
    if (length == 0) return written;
    at += 1u + length;
  }
  return 0;
}

/* Type and rdata of the record whose type is at `fixed`, names in it in full; the size, or 0 if it does not fit. */
static size_t copy_record(const uint8_t *message, size_t size, size_t fixed, uint8_t *record) {
  uint16_t type = read16(message + fixed);
  uint16_t length = read16(message + fixed + 8);
  size_t rdata = fixed + 10, own = 0;
  write16(record, type);
  if (type == TYPE_SRV || type == TYPE_PTR || type == TYPE_CNAME) {
    own = type == TYPE_SRV ? 6 : 0;
    if (length < own) return 0;
    memcpy(record + 2, message + rdata, own);
    size_t name = copy_name(message, size, rdata + own, record + 2 + own);
    return name == 0 ? 0 : 2 + own + name;
  }
  if (length > RECORD_MAX - 2) return 0;
  memcpy(record + 2, message + rdata, length);
  return 2u + length;
}

static int is_listed(const struct question *question, const uint8_t *record, size_t size) {
  for (int low = 0, high = question->count - 1; low <= high;) {
    int middle = (low + high) / 2;
    const struct record *other = &question->records[middle];
    int order = memcmp(record, other->octets, size < other->size ? size : other->size);
    if (order == 0) order = (int)size - other->size;
    if (order == 0) return 1;
    if (order < 0) high = middle - 1;
    else low = middle + 1;
  }
  return 0;
}

static const char *describe(const uint8_t *record, size_t size, const struct question *question) {
  static char text[160];
  const struct record *other = question->records;
  if (question->count == 0 || read16(other->octets) != TYPE_A) return "an answer is another";
  if (read16(record) != TYPE_A || size != 6) return "an answer is no A record";
  snprintf(text, sizeof text, "an address is %d.%d.%d.%d, not %d.%d.%d.%d", record[2], record[3], record[4], record[5],
           other->octets[2], other->octets[3], other->octets[4], other->octets[5]);
  return text;
}

/* `is_strict` looks for each record among the right ones, which takes longer than a sum over all of them. */
static const char *records_fault(const uint8_t *reply, size_t size, const struct question *question, uint32_t number,
                                 int is_strict) {
  uint16_t count = read16(reply + 6);
  uint8_t record[RECORD_MAX], alias[NAME_MAX_SIZE], owner[NAME_MAX_SIZE];
  uint64_t sum = 0, wanted = question->sum;
  size_t at = question->question_end, alias_size = 0, name_size = question->question_end - 4u - HEADER_SIZE;
  if (question->flags & IS_COUNTED) {
    const uint8_t own[6] = {0, TYPE_A, COUNTED_NET, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};
    wanted = hash(own, sizeof own);
  }
  for (int i = 0; i < count; i++) {
    size_t fixed = skip_name(reply, size, at);
    if (fixed == 0 || fixed + 10 > size || fixed + 10 + read16(reply + fixed + 8) > size) return "it ends too early";
    int is_asked = read16(reply + at) == (0xc000 | HEADER_SIZE) ||
                   (fixed - at == name_size && memcmp(reply + at, reply + HEADER_SIZE, name_size) == 0);
    if (alias_size > 0) is_asked = copy_name(reply, size, at, owner) == alias_size && memcmp(owner, alias, alias_size) == 0;
    if (!is_asked) return "an answer has another owner";
    size_t record_size = copy_record(reply, size, fixed, record);
    if (record_size == 0) return "an answer is malformed";
    if (is_strict && !is_listed(question, record, record_size)) return describe(record, record_size, question);
    if (read16(record) == TYPE_CNAME) memcpy(alias, record + 2, alias_size = record_size - 2);
    sum += hash(record, record_size);
    at = fixed + 10 + read16(reply + fixed + 8);
  }
  if (question->flags & IS_TRUNCATED || sum == wanted) return NULL;
  if (question->flags & IS_COUNTED) return "the address is that of another number";
  return is_strict ? "one answer is there twice" : records_fault(reply, size, question, number, 1);
}

/* What is wrong with a reply to that question, which was asked with that number; NULL if nothing is. */
static const char *fault_of(const uint8_t *reply, size_t size, const struct question *question, uint32_t number) {
  static char text[64];
  if (size < question->question_end) return "it ends too early";
  int is_truncated = reply[2] & 2, wants_truncated = question->flags & IS_TRUNCATED;
  if (!(reply[2] & 0x80)) return "it is no reply";
  if (is_truncated && !wants_truncated) return "it is truncated";
  if (!is_truncated && wants_truncated) return "it is not truncated";
  if ((reply[3] & 15) != question->rcode) {
    snprintf(text, sizeof text, "its rcode is %d, not %d", reply[3] & 15, question->rcode);
    return text;
  }
  uint8_t asked[512];
  size_t end = question->question_end;
  memcpy(asked, question->query, end);
  if (question->flags & IS_COUNTED) {
    char digits[COUNTED_DIGITS + 1];
    snprintf(digits, sizeof digits, "%06x", number & 0xffffff);
    memcpy(asked + COUNTED_AT, digits, COUNTED_DIGITS);
  }
  if (read16(reply + 4) != 1 || memcmp(reply + HEADER_SIZE, asked + HEADER_SIZE, end - HEADER_SIZE) != 0)
    return "it has another question";
  uint16_t count = read16(reply + 6);
  if (wants_truncated ? count >= question->count : count != question->count) {
    snprintf(text, sizeof text, "it has %d answers, not %d", count, question->count);
    return text;
  }
  if (count > 0) return records_fault(reply, size, question, number, wants_truncated);
  if (!(question->flags & WANTS_SOA)) return NULL;
  size_t fixed = skip_name(reply, size, end);
  int has_soa = read16(reply + 8) == 1 && fixed != 0 && fixed + 2 <= size && read16(reply + fixed) == TYPE_SOA;
  return has_soa ? NULL : "it denies without an SOA";
}
