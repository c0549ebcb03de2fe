/*
 * Prints each DNS message over IPv4 that passes this network namespace, one a line: nanoseconds, query or reply, transport, sender, receiver, rcode,
 * type and name of the question. A line on standard input is answered, behind all messages so far, by a line that begins with a dot and says how
 * many packets were lost. Ends with its input.
 */

#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A socket for one protocol would not see what leaves. */
enum { EVERY_PROTOCOL = 3, ETHERTYPE_IPV4 = 0x0800, UDP = 17, TCP = 6, DNS_PORT = 53, HEADER_SIZE = 12, PACKET_SIZE = 65536 };

/* Linux's, which not every C library has headers for. */
enum { OPTION_STATISTICS = 6 };
struct statistics {
  unsigned packets, drops;
};

static uint8_t packet[PACKET_SIZE];

static unsigned read16(const uint8_t *at) { return (unsigned)at[0] << 8 | at[1]; }

/* The question's name in presentation format (RFC 1035 section 5.1), without the final dot; the offset behind it, or 0. */
static size_t read_name(const uint8_t *message, size_t size, char *text) {
  size_t at = HEADER_SIZE;
  char *end = text;
  while (at < size && message[at] != 0 && message[at] < 64 && at + 1 + message[at] < size) {
    if (end != text) *end++ = '.';
    for (int i = 1; i <= message[at]; i++) {
      uint8_t octet = message[at + (size_t)i];
      end += octet > ' ' && octet < 127 && octet != '.' && octet != '\\' ? sprintf(end, "%c", octet) : sprintf(end, "\\%03d", octet);
    }
    at += 1u + message[at];
  }
  if (end == text) *end++ = '.';
  *end = 0;
  return at + 5 <= size && message[at] == 0 ? at + 1 : 0;
}

static void print_message(const struct timespec *at, const char *transport, const uint8_t *ip, unsigned from, unsigned to,
                          const uint8_t *message, size_t size) {
  static char name[256 * 4];
  char sender[INET_ADDRSTRLEN], receiver[INET_ADDRSTRLEN];
  size_t end = size < HEADER_SIZE || read16(message + 4) != 1 ? 0 : read_name(message, size, name);
  if (end == 0) return;
  inet_ntop(AF_INET, ip + 12, sender, sizeof sender);
  inet_ntop(AF_INET, ip + 16, receiver, sizeof receiver);
  printf("%lld%09ld %s %s %s:%u %s:%u %u %u %s\n", (long long)at->tv_sec, at->tv_nsec, message[2] & 0x80 ? "reply" : "query", transport,
         sender, from, receiver, to, message[3] & 15u, read16(message + end), name);
}

static void print_packet(const struct timespec *at, size_t size) {
  size_t header = (packet[0] & 15u) * 4u;
  if (size < header + 8 || packet[0] >> 4 != 4 || (read16(packet + 6) & 0x1fff) != 0) return;
  if (size > read16(packet + 2)) size = read16(packet + 2);
  const uint8_t *segment = packet + header;
  unsigned from = read16(segment), to = read16(segment + 2);
  if (from != DNS_PORT && to != DNS_PORT) return;
  size_t left = size - header;
  if (packet[9] == UDP) print_message(at, "udp", packet, from, to, segment + 8, left - 8);
  if (packet[9] != TCP || left < 20) return;
  /* Of a message that goes on in another segment the question is in the first. */
  for (size_t next = (segment[12] >> 4) * 4u; next + 2 < left; next += 2 + read16(segment + next)) {
    size_t rest = left - next - 2, own = read16(segment + next);
    print_message(at, "tcp", packet, from, to, segment + next + 2, own < rest ? own : rest);
  }
}

/* All that has come so far. What goes over the loopback interface passes twice: once on its way out. */
static void drain(int fd, int loopback) {
  for (;;) {
    struct sockaddr_ll link;
    uint64_t control[16];
    struct iovec part = {.iov_base = packet, .iov_len = sizeof packet};
    struct msghdr head = {.msg_name = &link, .msg_namelen = sizeof link, .msg_iov = &part, .msg_iovlen = 1,
                          .msg_control = control, .msg_controllen = sizeof control};
    ssize_t size = recvmsg(fd, &head, MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return;
    if (link.sll_protocol != htons(ETHERTYPE_IPV4) || link.sll_pkttype == PACKET_OTHERHOST) continue;
    if (link.sll_pkttype == PACKET_OUTGOING && link.sll_ifindex == loopback) continue;
    struct timespec at = {0, 0};
    for (struct cmsghdr *one = CMSG_FIRSTHDR(&head); one != NULL; one = CMSG_NXTHDR(&head, one))
      if (one->cmsg_level == SOL_SOCKET && one->cmsg_type == SO_TIMESTAMPNS) memcpy(&at, CMSG_DATA(one), sizeof at);
    print_packet(&at, (size_t)size);
  }
}

int main(void) {
  int fd = socket(AF_PACKET, SOCK_DGRAM, htons(EVERY_PROTOCOL)), on = 1, size = 8 * 1024 * 1024;
  if (fd < 0) perror("packet socket"), exit(1);
  setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  int loopback = (int)if_nametoindex("lo");
  printf(". 0\n");
  for (;;) {
    fflush(stdout);
    struct pollfd both[] = {{.fd = fd, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
    if (poll(both, 2, -1) < 0) continue;
    drain(fd, loopback);
    if (both[1].revents == 0) continue;
    char asked;
    if (read(STDIN_FILENO, &asked, 1) <= 0) return 0;
    struct statistics seen = {0, 0};
    socklen_t seen_size = sizeof seen;
    getsockopt(fd, SOL_PACKET, OPTION_STATISTICS, &seen, &seen_size);
    printf(". %u\n", seen.drops);
  }
}
