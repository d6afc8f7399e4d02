/* connections: what the loops in C do alike to be connected to. */

#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_SOCKETS = 65536 };

/* Have an epoll tell when there is something to read. */
static int watch(int epoll, int descriptor) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}

/* A socket that listens on a port of this machine, watched; -1 and errno if it can't. */
static int listen_on(int port, int epoll) {
    int on = 1, listening = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listening, (void *)&address, sizeof address) || listen(listening, 4096) ||
        watch(epoll, listening))
        return -1;
    return listening;
}

/* Take one connection and watch it, or let it go if there are too many. */
static void take_one(int listening, int epoll) {
    int on = 1, socket = accept4(listening, NULL, NULL, SOCK_NONBLOCK);
    if (socket < 0) return;
    if (socket >= MAX_SOCKETS) {
        close(socket);
        return;
    }
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(epoll, socket);
}
