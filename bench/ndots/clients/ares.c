/* c-ares as Envoy and gRPC use it: ares_getaddrinfo. Prints the addresses; exit code 2 and the reason if there are none; without a name its version. */
#include <ares.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>

static int code = 3;

static void found(void *context, int status, int timeouts, struct ares_addrinfo *result) {
  char text[INET6_ADDRSTRLEN];
  (void)context, (void)timeouts;
  code = status == ARES_SUCCESS ? 0 : 2;
  if (status != ARES_SUCCESS) fprintf(stderr, "%s\n", ares_strerror(status));
  for (struct ares_addrinfo_node *one = result == NULL ? NULL : result->nodes; one != NULL; one = one->ai_next) {
    const void *address = one->ai_family == AF_INET ? (const void *)&((struct sockaddr_in *)one->ai_addr)->sin_addr
                                                    : (const void *)&((struct sockaddr_in6 *)one->ai_addr)->sin6_addr;
    puts(inet_ntop(one->ai_family, address, text, sizeof text));
  }
  if (result != NULL) ares_freeaddrinfo(result);
}

int main(int argc, char **argv) {
  ares_channel channel;
  struct ares_addrinfo_hints hints;
  memset(&hints, 0, sizeof hints);
  hints.ai_socktype = SOCK_STREAM;
  if (argc != 2) return puts(ares_version(NULL)), 1;
  if (ares_library_init(ARES_LIB_INIT_ALL) != 0 || ares_init(&channel) != ARES_SUCCESS) return 1;
  ares_getaddrinfo(channel, argv[1], NULL, &hints, found, NULL);
  for (;;) {
    fd_set readable, writable;
    struct timeval left;
    FD_ZERO(&readable);
    FD_ZERO(&writable);
    int count = ares_fds(channel, &readable, &writable);
    if (count == 0) break;
    select(count, &readable, &writable, NULL, ares_timeout(channel, NULL, &left));
    ares_process(channel, &readable, &writable);
  }
  ares_destroy(channel);
  return code;
}
