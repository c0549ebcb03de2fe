/* Datagrams, many with each system call. Knows nothing of when a query is due. */

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lane.h"

enum { BATCH = 64, DATAGRAM_SIZE = 4096, RECEIVE_BUFFER = 4 * 1024 * 1024 };

static struct mmsghdr batch[BATCH];
static struct iovec batch_parts[BATCH];
static uint8_t batch_octets[BATCH][DATAGRAM_SIZE];

static struct sockaddr_in loopback(uint16_t port) {
  return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int open_datagrams(uint16_t port) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), size = RECEIVE_BUFFER;
  struct sockaddr_in server = loopback(port);
  if (fd < 0 || connect(fd, (struct sockaddr *)&server, sizeof server) != 0) perror("socket"), exit(1);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  return fd;
}

/* A C library may make a loop of single calls of these; here the call itself is wanted. */
static int receive_batch(int fd) {
  for (int i = 0; i < BATCH; i++) {
    batch_parts[i] = (struct iovec){.iov_base = batch_octets[i], .iov_len = DATAGRAM_SIZE};
    batch[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &batch_parts[i], .msg_iovlen = 1}};
  }
  return (int)syscall(SYS_recvmmsg, fd, batch, BATCH, MSG_DONTWAIT, NULL);
}

static int send_batch(int fd, int first, int count) {
  return (int)syscall(SYS_sendmmsg, fd, batch + first, count - first, MSG_DONTWAIT);
}

/* Takes the replies that are there; how many. */
static int receive_replies(struct lane *lane) {
  int all = 0;
  for (;;) {
    int count = receive_batch(lane->fd);
    if (count <= 0) return all;
    double at = now();
    for (int i = 0; i < count; i++) take_reply(lane, batch_octets[i], batch[i].msg_len, at);
    all += count;
    if (count < BATCH) return all;
  }
}

/* Asks up to `count` questions, due at `since` and `interval` later each; how many. */
static int send_queries(struct lane *lane, int count, double since, double interval) {
  int ready = 0, sent = 0;
  for (; ready < count && ready < BATCH; ready++) {
    size_t size = next_query(lane, batch_octets[ready], since + ready * interval);
    if (size == 0) break;
    batch_parts[ready] = (struct iovec){.iov_base = batch_octets[ready], .iov_len = size};
    batch[ready] = (struct mmsghdr){.msg_hdr = {.msg_iov = &batch_parts[ready], .msg_iovlen = 1}};
  }
  while (sent < ready) {
    int some = send_batch(lane->fd, sent, ready);
    if (some > 0) sent += some;
    else if (errno == EAGAIN) poll(&(struct pollfd){.fd = lane->fd, .events = POLLOUT}, 1, 10);
    else if (errno == ECONNREFUSED) sent++; /* nobody listens: it will be missing */
    else if (errno != EINTR) perror("sendmmsg"), exit(1);
  }
  return ready;
}
