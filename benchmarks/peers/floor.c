/*
 * floor: what telling all costs at least: a loop of send() in C, and nothing else.
 *
 *   floor PORT
 *
 * "GET" begins an event stream, "POST" tells its body to all streams.  It is no server: it
 * believes every request, takes one read for one request, and drops who is too slow.
 */

#include "connections.h"

#include <stdio.h>
#include <string.h>

enum { EVENTS = 64, READ = 4096 };

static const char STREAM[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\nretry: 1000\n\n";

static int streams[MAX_SOCKETS], place_of[MAX_SOCKETS], stream_count;

static void drop(int socket) {
    if (place_of[socket]) { /* the last one takes its place */
        int last = streams[--stream_count];
        streams[place_of[socket] - 1] = last;
        place_of[last] = place_of[socket];
        place_of[socket] = 0;
    }
    close(socket);
}

static void tell_all(int sender, const char *body) {
    static unsigned id;
    char event[READ + 200], response[200];
    int size = snprintf(event, sizeof event,
        "id: %u\nevent: message\ndata: {\"id\":%u,\"sender_id\":42,\"recipient_id\":null,"
        "\"sent_at\":\"2026-01-01T12:00:00.123456Z\",\"said\":%s}\n\n", id, id, body);
    id++;
    for (int i = stream_count - 1; i >= 0; i--)
        if (send(streams[i], event, size, MSG_NOSIGNAL) != size) drop(streams[i]);
    int length = snprintf(response, sizeof response,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
    if (send(sender, response, length, MSG_NOSIGNAL) != length) drop(sender);
}

static void serve(int socket) {
    char request[READ + 1];
    ssize_t size = recv(socket, request, READ, 0);
    if (size <= 0 || place_of[socket]) {
        drop(socket);
        return;
    }
    request[size] = 0;
    char *body = strstr(request, "\r\n\r\n");
    if (!strncmp(request, "POST", 4) && body) {
        tell_all(socket, body + 4);
    } else {
        streams[stream_count] = socket;
        place_of[socket] = ++stream_count;
        if (send(socket, STREAM, sizeof STREAM - 1, MSG_NOSIGNAL) < 0) drop(socket);
    }
}

int main(int count, char **arguments) {
    struct epoll_event events[EVENTS];
    int epoll = epoll_create1(0), port = listen_on(count > 1 ? atoi(arguments[1]) : 0, epoll);
    if (port < 0) {
        perror("floor");
        return 1;
    }
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd == port) take_one(port, epoll);
            else serve(events[i].data.fd);
        }
    }
}
