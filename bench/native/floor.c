/*
 * What no server can be cheaper than: `floor echo PORT` sends each datagram back as a reply. `floor upstream` is the world outside: it knows the
 * addresses of bench/outside.ts, of both families, and denies everything else; it prints the port that it was given.
 */

#define _GNU_SOURCE

#include "udp.h"

static struct sockaddr_in peers[BATCH];

/* With an SOA of the name's parent, so that caches may keep it for an hour (RFC 2308 section 5). */
static size_t deny(uint8_t *message, size_t end) {
  uint8_t parent = (uint8_t)(HEADER_SIZE + (message[HEADER_SIZE] == 0 ? 0 : 1 + message[HEADER_SIZE]));
  const uint8_t soa[34] = {0xc0, parent, 0, TYPE_SOA, 0, 1, 0, 0, 0x0e, 0x10, 0, 22, [32] = 0x0e, 0x10};
  message[9] = 1;
  memcpy(message + end, soa, sizeof soa);
  return end + sizeof soa;
}

/* host-I.example.org has 198.18.0.0 + I and 2001:db8::198.18.0.0 + I, u-XXXXXX.example.org has 11.X.X.X; TTL 1 hour. */
static size_t answer(uint8_t *message, size_t size) {
  static const uint8_t domain[] = "\7example\3org";
  size_t end = size < HEADER_SIZE ? 0 : skip_name(message, size, HEADER_SIZE);
  if (end == 0 || end + 4 > size) return 0;
  uint8_t label[64] = "";
  memcpy(label, message + HEADER_SIZE + 1, message[HEADER_SIZE] & 63);
  size_t rest = HEADER_SIZE + 1u + message[HEADER_SIZE];
  unsigned type = read16(message + end);
  int is_ours = end - rest == sizeof domain && read16(message + end + 2) == 1 && (type == TYPE_A || type == TYPE_AAAA);
  for (size_t i = 0; is_ours && i < sizeof domain; i++) is_ours = (message[rest + i] | 32) == (domain[i] | 32);
  for (int i = 0; label[i] != 0; i++) label[i] |= label[i] >= 'A' && label[i] <= 'Z' ? 32 : 0;
  unsigned number = 0, address = 0;
  if (is_ours && sscanf((char *)label, "host-%u", &number) == 1) address = (198u << 24 | 18u << 16) + number;
  else if (is_ours && type == TYPE_A && sscanf((char *)label, "u-%6x", &number) == 1) address = (unsigned)COUNTED_NET << 24 | number;
  message[2] = 0x80 | (message[2] & 1);
  message[3] = address == 0 ? 0x83 : 0x80;
  memset(message + 6, 0, 6);
  if (address == 0) return deny(message, end + 4);
  message[7] = 1;
  size_t prefix = type == TYPE_AAAA ? 12 : 0;
  const uint8_t head[12] = {0xc0, HEADER_SIZE, 0, (uint8_t)type, 0, 1, 0, 0, 0x0e, 0x10, 0, (uint8_t)(prefix + 4)};
  const uint8_t rdata[16] = {0x20, 0x01, 0x0d, 0xb8, [12] = (uint8_t)(address >> 24), (uint8_t)(address >> 16), (uint8_t)(address >> 8),
                             (uint8_t)address};
  memcpy(message + end + 4, head, sizeof head);
  memcpy(message + end + 4 + sizeof head, rdata + 12 - prefix, prefix + 4);
  return end + 4 + sizeof head + prefix + 4;
}

int main(int argc, char **argv) {
  int is_echo = argc == 3 && strcmp(argv[1], "echo") == 0, size = RECEIVE_BUFFER;
  struct sockaddr_in own = loopback((uint16_t)(is_echo ? atoi(argv[2]) : 0));
  socklen_t own_size = sizeof own;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof own) != 0) perror("bind"), exit(1);
  getsockname(fd, (struct sockaddr *)&own, &own_size);
  printf("%d\n", ntohs(own.sin_port));
  fflush(stdout);
  for (;;) {
    for (int i = 0; i < BATCH; i++) {
      batch_parts[i] = (struct iovec){.iov_base = batch_octets[i], .iov_len = DATAGRAM_SIZE - 16};
      batch[i].msg_hdr = (struct msghdr){.msg_iov = &batch_parts[i], .msg_iovlen = 1, .msg_name = &peers[i], .msg_namelen = sizeof peers[i]};
    }
    int count = (int)syscall(SYS_recvmmsg, fd, batch, BATCH, MSG_WAITFORONE, NULL), ready = 0;
    for (int i = 0; i < count; i++) {
      size_t reply = batch[i].msg_len;
      if (is_echo) batch_octets[i][2] |= 0x80;
      else reply = answer(batch_octets[i], reply);
      if (reply == 0) continue;
      batch_parts[i].iov_len = reply;
      batch[ready++] = batch[i];
    }
    for (int sent = 0; sent < ready;) {
      int some = (int)syscall(SYS_sendmmsg, fd, batch + sent, ready - sent, 0);
      sent += some > 0 ? some : 1;
    }
  }
}
