/* Pipelined queries over connections (RFC 7766 section 6.2.1.1). Knows nothing of when a query is due. */

#include <netinet/in.h>
#include <netinet/tcp.h>

enum { STREAM_SIZE = 256 * 1024, QUERY_MAX = 512 };

static void connect_stream(struct lane *lane, uint16_t port) {
  int yes = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in server = loopback(port);
  if (fd < 0 || connect(fd, (struct sockaddr *)&server, sizeof server) != 0) perror("connect"), exit(1);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  lane->fd = fd;
  lane->in_size = lane->out_size = lane->out_sent = 0;
}

static void open_stream(struct lane *lane, uint16_t port, int slot_count) {
  open_lane(lane, -1, slot_count);
  lane->in = malloc(STREAM_SIZE);
  lane->out = malloc((size_t)slot_count * (2 + QUERY_MAX));
  connect_stream(lane, port);
}

static void flush_stream(struct lane *lane) {
  while (lane->out_sent < lane->out_size) {
    ssize_t some = send(lane->fd, lane->out + lane->out_sent, lane->out_size - lane->out_sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (some <= 0) return;
    lane->out_sent += (size_t)some;
  }
  lane->out_size = lane->out_sent = 0;
}

/* Takes the replies that are there; how many. A server that closes is connected to again: what waited is missing. */
static int receive_stream(struct lane *lane, uint16_t port) {
  ssize_t some = recv(lane->fd, lane->in + lane->in_size, STREAM_SIZE - lane->in_size, MSG_DONTWAIT);
  if (some == 0 || (some < 0 && errno == ECONNRESET)) {
    close(lane->fd);
    expire(lane, now() + 1);
    lane->expired = 0;
    connect_stream(lane, port);
    return 0;
  }
  if (some < 0) return 0;
  int yes = 1; /* not for long: it is said anew after each read, lest the server wait for an acknowledgement before its next segment */
  setsockopt(lane->fd, IPPROTO_TCP, TCP_QUICKACK, &yes, sizeof yes);
  lane->in_size += (size_t)some;
  double at = now();
  size_t used = 0;
  int all = 0;
  while (lane->in_size - used >= 2 && lane->in_size - used >= 2u + read16(lane->in + used)) {
    size_t size = read16(lane->in + used);
    take_reply(lane, lane->in + used + 2, size, at);
    used += 2 + size;
    all++;
  }
  lane->in_size -= used;
  memmove(lane->in, lane->in + used, lane->in_size);
  return all;
}

/* Asks up to `count` questions in one go, once all before are written. */
static void send_stream(struct lane *lane, int count) {
  if (lane->out_size > 0) return flush_stream(lane);
  for (; count > 0; count--) {
    size_t size = next_query(lane, lane->out + lane->out_size + 2, now());
    if (size == 0) break;
    write16(lane->out + lane->out_size, (uint16_t)size);
    lane->out_size += 2 + size;
  }
  flush_stream(lane);
}
