/*
 * listen: thousands of listeners to one chat, and those who send to it, on epoll, in one thread.
 *
 *   listen HOST PORT
 *
 * Standard input first says who there is, as raw bytes:
 *
 *   ready retry:                        (what a stream brings once it is open)
 *   stream 187
 *   GET /events HTTP/1.1 ...            (187 bytes, then a newline)
 *   sender 201
 *   POST /send HTTP/1.1 ...             (201 bytes, with ^0000000 in its text)
 *   open
 *
 * A "hello 8" and its bytes may come first: what a stream says once it is answered.
 * A "port 8002" is for the streams and senders that follow; "port 0" is PORT again.
 * "open" opens all, 32 streams at a time, and responses with a line of JSON.  Then each
 * further line has something done, and is answered so, too:
 *
 *   single SECONDS        one sender; the next message once all have this one
 *   together SECONDS      each sender sends again once all have its message
 *   rate SECONDS RATE     a message every 1/RATE seconds, from one sender after the other
 *   stall MESSAGES        so many messages; senders wait for the response only, and no
 *                         stream is read
 *
 * The digits after the ^ of a message are its number, so each arrival is known, by
 * whatever protocol it comes: it must come to each stream once.  A latency counts from
 * when the message fell due ("sent") and from its response ("answered"; an arrival before
 * the response took no time).  Whatever goes wrong makes "valid" false and is named.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    MARK = '^',
    DIGITS = 7,
    MAX_MESSAGES = 2 * 1000 * 1000,
    MAX_READY = 64,
    MAX_RESPONSE = 16 * 1024,
    OPENING = 32,
    STREAMS_AT_A_TIME = 64, /* then the senders have a turn */
    NAP_NANOSECONDS = 20 * 1000,
    BUFFER = 512 * 1024,
    SUBBUCKET_BITS = 6, /* a bucket is at most 1/64 wide: latencies are exact to 1.6 % */
    BUCKETS = 64 << SUBBUCKET_BITS,
};

static const uint64_t SECOND = 1000000000u;
static const uint64_t PATIENCE = 30 * SECOND; /* how long the last arrivals are waited for */

typedef struct {
    char *bytes;
    size_t length;
} Request;

typedef struct {
    int socket, port;
    Request request;
    char head[MAX_READY * 2]; /* the end of what came before it was ready */
    size_t head_length;
    bool ready;
    int digits_left; /* of the number that is being read */
    uint64_t number, received;
} Stream;

typedef struct {
    int socket, port;
    Request request;
    char *digits;
    bool asked, undelivered; /* what it waits for: the response; all arrivals */
    uint64_t message;
    char response[MAX_RESPONSE];
    size_t response_length;
} Sender;

typedef struct {
    uint64_t sent_ns, answered_ns;
    uint32_t arrivals;
    Sender *sender;
} Message;

typedef struct {
    uint64_t count, max_ns, buckets[BUCKETS]; /* of microseconds */
} Histogram;

static Stream *streams;
static Sender *senders;
static size_t stream_count, sender_count, ready_count;
static char ready_mark[MAX_READY];
static size_t ready_length;
static Request hello;
static Message messages[MAX_MESSAGES];
static uint64_t message_count, complete_count, answered_count, arrival_count, last_arrival_ns;
static uint64_t busy_ns; /* in turns that found something */
static Histogram from_sent, from_response;
static int stream_epoll, sender_epoll;
static const char *wrong;

static void die(const char *what) {
    fprintf(stderr, "listen: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(2);
}

static void *allocate(void *old, size_t size) {
    void *memory = realloc(old, size);
    if (!memory) die("memory");
    return memory;
}

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

static void fail(const char *why) {
    if (!wrong) wrong = why;
}

/* ---- the histogram -------------------------------------------------------- */

static void record(Histogram *histogram, uint64_t nanoseconds) {
    uint64_t value = nanoseconds / 1000;
    size_t bucket = value;
    if (value >= 2u << SUBBUCKET_BITS) {
        int shift = 63 - __builtin_clzll(value) - SUBBUCKET_BITS;
        bucket = ((size_t)shift << SUBBUCKET_BITS) + (value >> shift);
    }
    histogram->buckets[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    histogram->count++;
    if (nanoseconds > histogram->max_ns) histogram->max_ns = nanoseconds;
}

static double percentile_ms(const Histogram *histogram, double share) {
    uint64_t rank = (uint64_t)(share * histogram->count), seen = 0;
    for (size_t bucket = 0; bucket < BUCKETS; bucket++) {
        seen += histogram->buckets[bucket];
        if (seen <= rank) continue;
        uint64_t top = bucket;
        if (bucket >= 2u << SUBBUCKET_BITS) {
            int shift = (int)(bucket >> SUBBUCKET_BITS) - 1;
            top = ((bucket - ((uint64_t)shift << SUBBUCKET_BITS) + 1) << shift) - 1;
        }
        return top / 1e3 < histogram->max_ns / 1e6 ? top / 1e3 : histogram->max_ns / 1e6;
    }
    return 0;
}

/* ---- who there is --------------------------------------------------------- */

static Request read_request(size_t length) {
    Request request = {allocate(NULL, length + 1), length};
    if (fread(request.bytes, 1, length, stdin) != length || fgetc(stdin) != '\n')
        die("a request of the script has another length than it says");
    request.bytes[length] = 0;
    return request;
}

static void read_script(void) {
    char line[128];
    size_t length;
    int port = 0;
    while (fgets(line, sizeof line, stdin)) {
        if (!strcmp(line, "open\n")) {
            if (!stream_count || !sender_count || !ready_length) die("the script lacks something");
            return;
        } else if (sscanf(line, "stream %zu\n", &length) == 1) {
            streams = allocate(streams, (stream_count + 1) * sizeof *streams);
            streams[stream_count++] = (Stream){.request = read_request(length), .port = port};
        } else if (sscanf(line, "sender %zu\n", &length) == 1) {
            senders = allocate(senders, (sender_count + 1) * sizeof *senders);
            Sender *sender = &senders[sender_count++];
            *sender = (Sender){.request = read_request(length), .port = port};
            sender->digits = memchr(sender->request.bytes, MARK, length);
            if (!sender->digits++) die("a sender's request has no ^0000000");
        } else if (sscanf(line, "port %d\n", &port) == 1) {
            continue;
        } else if (sscanf(line, "hello %zu\n", &length) == 1) {
            hello = read_request(length);
        } else if (!strncmp(line, "ready ", 6)) {
            ready_length = strcspn(line + 6, "\n");
            if (ready_length >= MAX_READY) die("the mark is too long");
            memcpy(ready_mark, line + 6, ready_length);
        } else {
            die("a line of the script is not understood");
        }
    }
    die("the script has no end");
}

static int connected(const struct addrinfo *address, int port, int epoll, void *who) {
    int on = 1, opened = socket(address->ai_family, SOCK_STREAM, 0);
    if (opened < 0) die("socket");
    struct sockaddr_storage to;
    memcpy(&to, address->ai_addr, address->ai_addrlen);
    /* In the same place for either family. */
    if (port) ((struct sockaddr_in *)&to)->sin_port = htons((uint16_t)port);
    if (connect(opened, (struct sockaddr *)&to, address->ai_addrlen)) die("connect");
    setsockopt(opened, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(opened, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = who};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, opened, &event)) die("epoll_ctl");
    return opened;
}

static void transmit(int to, Request request) {
    if (send(to, request.bytes, request.length, MSG_NOSIGNAL) != (ssize_t)request.length)
        fail("a request could not be sent at once");
}

/* ---- a stream ------------------------------------------------------------- */

static void arrived(uint64_t number, uint64_t now) {
    Message *message = &messages[number];
    if (number >= message_count || message->arrivals == stream_count) {
        fail("a message arrived that is not under way");
        return;
    }
    arrival_count++;
    last_arrival_ns = now;
    record(&from_sent, now > message->sent_ns ? now - message->sent_ns : 0);
    record(&from_response, message->answered_ns ? now - message->answered_ns : 0);
    if (++message->arrivals < stream_count) return;
    complete_count++;
    message->sender->undelivered = false;
}

static void scan(Stream *stream, const char *at, const char *end, uint64_t now) {
    while (at < end) {
        if (!stream->digits_left) {
            at = memchr(at, MARK, (size_t)(end - at));
            if (!at++) return;
            stream->digits_left = DIGITS;
            stream->number = 0;
            continue;
        }
        stream->number = stream->number * 10 + (uint64_t)(*at++ - '0');
        if (--stream->digits_left) continue;
        stream->received++;
        arrived(stream->number % MAX_MESSAGES, now);
    }
}

/* Looks for the mark in what has come, of which the end is kept until it is whole. */
static void look_whether_ready(Stream *stream, const char *bytes, size_t length) {
    if (stream->head_length == 0 && strncmp(bytes, "HTTP/1.1 200", 12) &&
        strncmp(bytes, "HTTP/1.1 101", 12)) {
        fprintf(stderr, "listen: %.*s\n", (int)length, bytes);
        fail("a stream was refused");
    }
    if (stream->head_length == 0 && hello.length) transmit(stream->socket, hello);
    size_t keep = sizeof stream->head - ready_length;
    for (size_t i = 0; i < length; i++) {
        if (stream->head_length == sizeof stream->head) {
            memmove(stream->head, stream->head + keep, ready_length);
            stream->head_length = ready_length;
        }
        stream->head[stream->head_length++] = bytes[i];
        if (stream->head_length < ready_length) continue;
        const char *end = stream->head + stream->head_length - ready_length;
        if (memcmp(end, ready_mark, ready_length)) continue;
        stream->ready = true;
        ready_count++;
        return;
    }
}

static void read_stream(Stream *stream) {
    static char buffer[BUFFER];
    ssize_t count = recv(stream->socket, buffer, sizeof buffer, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) {
        fail(count ? "reading a stream failed" : "a stream was closed by the server");
        close(stream->socket);
    } else if (!stream->ready) {
        look_whether_ready(stream, buffer, (size_t)count);
    } else {
        scan(stream, buffer, buffer + count, now_ns());
    }
}

/* ---- a sender ------------------------------------------------------------- */

static void ask(Sender *sender, uint64_t due_ns) {
    if (message_count == MAX_MESSAGES) die("too many messages");
    char digits[DIGITS + 1];
    sender->message = message_count++;
    snprintf(digits, sizeof digits, "%07u", (unsigned)sender->message);
    memcpy(sender->digits, digits, DIGITS);
    messages[sender->message] = (Message){.sent_ns = due_ns, .sender = sender};
    sender->asked = sender->undelivered = true;
    sender->response_length = 0;
    transmit(sender->socket, sender->request);
}

static void read_response(Sender *sender) {
    size_t room = MAX_RESPONSE - 1 - sender->response_length;
    ssize_t count = recv(sender->socket, sender->response + sender->response_length, room, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0 || !sender->asked) {
        fail(count > 0 ? "a response that nobody asked for" : "a sender was cut off");
        if (count <= 0) close(sender->socket);
        return;
    }
    sender->response_length += (size_t)count;
    sender->response[sender->response_length] = 0;
    char *end = strstr(sender->response, "\r\n\r\n"), *body;
    if (!end) return;
    if (strncmp(sender->response, "HTTP/1.1 2", 10)) fail("a send was refused");
    body = strcasestr(sender->response, "\r\nContent-Length:");
    if (!body || body > end) fail("a response without a Content-Length");
    else if (end + 4 + strtoul(body + 17, NULL, 10) > sender->response + sender->response_length) return;
    sender->asked = false;
    answered_count++;
    messages[sender->message].answered_ns = now_ns();
}

/* ---- the loop ------------------------------------------------------------- */

/*
 * Looks what has come, and takes a short nap if nothing has.  Nobody waits in epoll: there
 * the server would pay for waking us up, which it does not for a listener far away.
 */
static void turn(bool with_streams) {
    struct epoll_event events[STREAMS_AT_A_TIME];
    uint64_t begun = now_ns();
    int responses = epoll_wait(sender_epoll, events, STREAMS_AT_A_TIME, 0);
    for (int i = 0; i < responses; i++) read_response(events[i].data.ptr);
    int count = with_streams ? epoll_wait(stream_epoll, events, STREAMS_AT_A_TIME, 0) : 0;
    for (int i = 0; i < count; i++) read_stream(events[i].data.ptr);
    if (responses > 0 || count > 0)
        busy_ns += now_ns() - begun;
    else
        nanosleep(&(struct timespec){.tv_nsec = NAP_NANOSECONDS}, NULL);
}

static void open_all(const char *host, const char *port) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *address;
    if (getaddrinfo(host, port, &hints, &address)) die("no such host or port");
    stream_epoll = epoll_create1(0);
    sender_epoll = epoll_create1(0);
    uint64_t begun = now_ns();
    for (size_t i = 0; i < stream_count && !wrong; i++) {
        streams[i].socket = connected(address, streams[i].port, stream_epoll, &streams[i]);
        transmit(streams[i].socket, streams[i].request);
        while (i + 1 - ready_count >= OPENING && !wrong) turn(true);
    }
    while (ready_count < stream_count && !wrong) {
        turn(true);
        if (now_ns() - begun > 4 * PATIENCE) fail("not all streams were opened in time");
    }
    for (size_t i = 0; i < sender_count; i++)
        senders[i].socket = connected(address, senders[i].port, sender_epoll, &senders[i]);
    freeaddrinfo(address);
    printf("{\"streams\": %zu, \"seconds\": %.3f, \"valid\": %s, \"wrong\": \"%s\"}\n", ready_count,
           (now_ns() - begun) / 1e9, wrong ? "false" : "true", wrong ? wrong : "");
    fflush(stdout);
}

static void report(uint64_t begun, uint64_t first, double busy) {
    uint64_t sent = message_count - first;
    double seconds = ((arrival_count ? last_arrival_ns : now_ns()) - begun) / 1e9;
    printf("{\"messages\": %llu, \"deliveries\": %llu, \"seconds\": %.3f, \"per_second\": %.1f, "
           "\"sent_p50_ms\": %.3f, \"sent_p99_ms\": %.3f, \"sent_max_ms\": %.3f, "
           "\"answered_p50_ms\": %.3f, \"answered_p99_ms\": %.3f, \"answered_max_ms\": %.3f, "
           "\"busy\": %.3f, \"valid\": %s, \"wrong\": \"%s\"}\n",
           (unsigned long long)sent, (unsigned long long)arrival_count, seconds,
           arrival_count / seconds, percentile_ms(&from_sent, 0.5), percentile_ms(&from_sent, 0.99),
           from_sent.max_ns / 1e6, percentile_ms(&from_response, 0.5),
           percentile_ms(&from_response, 0.99), from_response.max_ns / 1e6, busy,
           wrong ? "false" : "true", wrong ? wrong : "");
    fflush(stdout);
}

/* Has the senders send for a time or so many messages, and waits for what is under way. */
static void perform(size_t active, double seconds, double rate, uint64_t most, bool stalled) {
    uint64_t begun = now_ns(), first = message_count, due = begun;
    uint64_t until = begun + (uint64_t)(seconds * SECOND), give_up = 0;
    busy_ns = 0;
    memset(&from_sent, 0, sizeof from_sent);
    memset(&from_response, 0, sizeof from_response);
    arrival_count = 0;
    for (size_t turns = 0; !wrong;) {
        uint64_t now = now_ns();
        bool sending = stalled ? message_count - first < most : (rate ? due : now) < until;
        for (size_t i = 0; i < active && sending && (!rate || due <= now); i++) {
            Sender *sender = &senders[(turns + i) % active];
            bool busy = sender->asked || (!stalled && !rate && sender->undelivered);
            if (busy || (stalled && message_count - first == most)) continue;
            ask(sender, rate ? due : now_ns());
            if (!rate) continue;
            turns += i + 1;
            i = (size_t)-1;
            due += (uint64_t)(SECOND / rate);
            sending = due < until;
        }
        uint64_t done = stalled ? answered_count : complete_count;
        if (!sending && done == message_count && answered_count == message_count) break;
        if (!sending && !give_up) give_up = now + PATIENCE;
        if (give_up && now > give_up) fail("not all messages arrived in time");
        turn(!stalled);
    }
    for (size_t i = 0; !stalled && i < stream_count; i++)
        if (streams[i].received != message_count) fail("a stream lacks messages");
    report(begun, first, (double)busy_ns / (now_ns() - begun));
}

int main(int count, char **arguments) {
    char line[128];
    double seconds, rate;
    unsigned long long most;
    if (count != 3) die("usage: listen HOST PORT");
    prctl(PR_SET_TIMERSLACK, 1); /* or a nap is 50 us longer, as long as seven deliveries */
    read_script();
    open_all(arguments[1], arguments[2]);
    while (!wrong && fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "single %lf\n", &seconds) == 1) perform(1, seconds, 0, 0, false);
        else if (sscanf(line, "together %lf\n", &seconds) == 1)
            perform(sender_count, seconds, 0, 0, false);
        else if (sscanf(line, "rate %lf %lf\n", &seconds, &rate) == 2)
            perform(sender_count, seconds, rate, 0, false);
        else if (sscanf(line, "stall %llu\n", &most) == 1) perform(sender_count, 0, 0, most, true);
        else die("a command is not understood");
    }
    return wrong ? 1 : 0;
}
