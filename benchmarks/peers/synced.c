/*
 * synced: what a durable send has to wait for at least: a loop in C, and a thread that syncs.
 *
 *   synced PORT
 *
 * "POST" is answered once some pages of a file are on the disk, for all that came meanwhile
 * together; all else at once, with as many bytes as a poll that finds some 64 messages.  It is
 * no server: it believes every request, takes one read for one request, and keeps nothing.
 */

#include "connections.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

enum {
    EVENTS = 64,
    READ = 4096,
    SENT_BYTES = 130,
    POLLED_BYTES = 8400,
    BATCH_BYTES = 3 * 4120, /* pages of a write-ahead log, each with its head */
    FILE_BYTES = 4 << 20    /* which is written again and again, as such a log is */
};

static int file, begun, done; /* a file and two eventfds */

static void *sync_batches(void *unused) {
    static const char pages[BATCH_BYTES];
    off_t place = 0;
    uint64_t number;
    (void)unused;
    for (;;) {
        if (read(begun, &number, sizeof number) < 0) abort();
        if (pwrite(file, pages, sizeof pages, place) < 0 || fdatasync(file)) abort();
        place = (place + BATCH_BYTES) % FILE_BYTES;
        number = 1;
        if (write(done, &number, sizeof number) < 0) abort();
    }
    return NULL;
}

static int response_of(char *response, int bytes) {
    int size = sprintf(response,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", bytes);
    memset(response + size, ' ', bytes);
    return size + bytes;
}

static void tell(int socket, const char *response, int size) {
    if (send(socket, response, size, MSG_NOSIGNAL) != size) shutdown(socket, SHUT_RDWR);
}

int main(int count, char **arguments) {
    static char sent[SENT_BYTES + 200], polled[POLLED_BYTES + 200], request[READ];
    static int waiting[MAX_SOCKETS], batch[MAX_SOCKETS];
    int sent_size = response_of(sent, SENT_BYTES), polled_size = response_of(polled, POLLED_BYTES);
    int waiting_count = 0, batch_count = 0;
    int epoll = epoll_create1(0), port = listen_on(count > 1 ? atoi(arguments[1]) : 0, epoll);
    uint64_t number = 1;
    pthread_t thread;
    struct epoll_event events[EVENTS];
    file = open("synced.log", O_RDWR | O_CREAT | O_TRUNC, 0600);
    begun = eventfd(0, 0);
    done = eventfd(0, EFD_NONBLOCK);
    if (port < 0 || file < 0 || watch(epoll, done) ||
        pthread_create(&thread, NULL, sync_batches, NULL)) {
        perror("synced");
        return 1;
    }
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            int one = events[i].data.fd;
            if (one == port) {
                take_one(port, epoll);
            } else if (one == done) {
                if (read(done, &number, sizeof number) < 0) abort();
                for (int j = 0; j < batch_count; j++) tell(batch[j], sent, sent_size);
                batch_count = 0;
            } else if (recv(one, request, sizeof request, 0) <= 0) {
                close(one);
            } else if (request[0] != 'P') {
                tell(one, polled, polled_size);
            } else if (waiting_count < MAX_SOCKETS) {
                waiting[waiting_count++] = one;
            }
        }
        if (!batch_count && waiting_count) {
            memcpy(batch, waiting, waiting_count * sizeof *waiting);
            batch_count = waiting_count;
            waiting_count = 0;
            number = 1;
            if (write(begun, &number, sizeof number) < 0) abort();
        }
    }
}
