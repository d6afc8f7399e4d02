/*
 * load: an HTTP/1.1 load generator on epoll, in one thread.
 *
 *   load HOST PORT --seconds S [--warmup S] [--rate R] < script
 *
 * The script says what each connection asks for, as raw bytes:
 *
 *   connection
 *   send 187
 *   POST /send HTTP/1.1 ...             (187 bytes, then a newline)
 *   poll 95
 *   GET /status HTTP/1.1 ...            (95 bytes, then a newline)
 *   connection
 *   ...
 *
 * Each connection is kept alive and asks its requests in turn, one at a time;
 * the i-th begins with its i-th request.  "send" and "poll" are kinds: names of
 * our own under which the responses are counted.
 *
 * Without --rate the loop is closed: each connection asks again as soon as it
 * is answered.  With it the loop is open: a request falls due every 1/R seconds
 * whether the server keeps up or not, waits until a connection is free, and its
 * latency counts from when it fell due.  So a server that stalls can't hide it
 * by slowing the generator down (no coordinated omission).
 *
 * It never sleeps in epoll: it looks, and takes a short nap if nothing has come.
 * Otherwise nearly each response of the server would wake a sleeper on another core,
 * which costs the server more than the response, and all servers the same.
 *
 * The result is one line of JSON, the exit status 0.  What is not answered, not
 * answered with a 2xx, or not framed by a Content-Length, is counted, makes the
 * run invalid, and the exit status 1.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    MAX_KINDS = 8,
    MAX_KIND_NAME = 32,
    MAX_HEAD = 16 * 1024,
    MAX_EVENTS = 256,
    SUBBUCKET_BITS = 6, /* a bucket is at most 1/64 wide: latencies are exact to 1.6 % */
    BUCKETS = 64 << SUBBUCKET_BITS,
};

static const double NANOSECONDS = 1e9;
static const double DRAIN_SECONDS = 5; /* how long the last responses are waited for */
static const long NAP_NANOSECONDS = 20000;

typedef struct {
    char name[MAX_KIND_NAME];
    uint64_t responses, bad_statuses, body_bytes, max_ns;
    int last_bad_status;
    uint64_t histogram[BUCKETS]; /* of microseconds */
} Kind;

typedef struct {
    Kind *kind;
    char *bytes;
    size_t length;
} Request;

typedef struct {
    int socket;
    Request *requests;
    size_t request_count, turn;
    bool busy, wants_write;
    Request *current;
    size_t sent;
    uint64_t since_ns; /* what the latency of the current request counts from */
    char head[MAX_HEAD];
    size_t head_length;
    bool head_done;
    int status;
    uint64_t body_left, body_length;
} Connection;

static Kind kinds[MAX_KINDS];
static size_t kind_count;
static Connection **connections;
static size_t connection_count, alive;
static Connection **idle; /* a ring: the connection that waited longest asks next */
static size_t idle_first, idle_count;
static int epoll;

static uint64_t start_ns, measured_from_ns, measured_to_ns;
static double rate;
static uint64_t all_requests, all_responses, broken_connections;
static const char *last_break = "";

static void die(const char *what) {
    fprintf(stderr, "load: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
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
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- the histogram -------------------------------------------------------- */

static size_t bucket_of(uint64_t value) {
    if (value < 2u << SUBBUCKET_BITS) return value;
    int shift = 63 - __builtin_clzll(value) - SUBBUCKET_BITS;
    return ((size_t)shift << SUBBUCKET_BITS) + (value >> shift);
}

static uint64_t top_of_bucket(size_t bucket) {
    if (bucket < 2u << SUBBUCKET_BITS) return bucket;
    int shift = (int)(bucket >> SUBBUCKET_BITS) - 1;
    uint64_t mantissa = bucket - ((uint64_t)shift << SUBBUCKET_BITS);
    return ((mantissa + 1) << shift) - 1;
}

static double percentile_ms(const Kind *kind, double share) {
    uint64_t rank = (uint64_t)(share * kind->responses), seen = 0;
    for (size_t bucket = 0; bucket < BUCKETS; bucket++) {
        seen += kind->histogram[bucket];
        if (seen <= rank) continue;
        double top_ms = top_of_bucket(bucket) / 1e3, max_ms = kind->max_ns / 1e6;
        return top_ms < max_ms ? top_ms : max_ms;
    }
    return 0;
}

/* ---- the script ----------------------------------------------------------- */

static Kind *kind_named(const char *name) {
    for (size_t i = 0; i < kind_count; i++)
        if (!strcmp(kinds[i].name, name)) return &kinds[i];
    if (kind_count == MAX_KINDS) die("too many kinds");
    Kind *kind = &kinds[kind_count++];
    strcpy(kind->name, name);
    return kind;
}

static void read_script(FILE *script) {
    char line[128], name[MAX_KIND_NAME];
    size_t length;
    while (fgets(line, sizeof line, script)) {
        if (!strcmp(line, "connection\n")) {
            connections = allocate(connections, (connection_count + 1) * sizeof *connections);
            Connection *connection = allocate(NULL, sizeof *connection);
            memset(connection, 0, sizeof *connection);
            connections[connection_count++] = connection;
        } else if (connection_count && sscanf(line, "%31[a-z0-9_] %zu\n", name, &length) == 2) {
            Connection *connection = connections[connection_count - 1];
            connection->requests = allocate(
                connection->requests, (connection->request_count + 1) * sizeof(Request));
            Request *request = &connection->requests[connection->request_count++];
            *request = (Request){kind_named(name), allocate(NULL, length), length};
            if (fread(request->bytes, 1, length, script) != length || fgetc(script) != '\n')
                die("a request of the script has another length than it says");
        } else {
            die("a line of the script is neither 'connection' nor 'KIND LENGTH'");
        }
    }
    if (!connection_count) die("the script is empty");
    for (size_t i = 0; i < connection_count; i++) {
        if (!connections[i]->request_count) die("a connection of the script asks nothing");
        connections[i]->turn = i % connections[i]->request_count;
    }
}

/* ---- one connection ------------------------------------------------------- */

static void connect_all(const char *host, const char *port) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *address;
    if (getaddrinfo(host, port, &hints, &address)) die("no such host or port");
    idle = allocate(NULL, connection_count * sizeof *idle);
    for (size_t i = 0; i < connection_count; i++) {
        Connection *connection = connections[i];
        int on = 1;
        connection->socket = socket(address->ai_family, SOCK_STREAM, 0);
        if (connection->socket < 0) die("socket");
        if (connect(connection->socket, address->ai_addr, address->ai_addrlen)) die("connect");
        setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        fcntl(connection->socket, F_SETFL, O_NONBLOCK);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, connection->socket, &event)) die("epoll_ctl");
        idle[idle_count++] = connection;
        alive++;
    }
    freeaddrinfo(address);
}

static void give_up(Connection *connection, const char *why) {
    close(connection->socket);
    connection->socket = -1;
    alive--;
    broken_connections++;
    last_break = why;
}

/* Sends what is left of the current request, and asks to be woken where that isn't all. */
static void send_request(Connection *connection) {
    Request *request = connection->current;
    while (connection->sent < request->length) {
        ssize_t count = send(connection->socket, request->bytes + connection->sent,
                             request->length - connection->sent, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno != EAGAIN) {
            give_up(connection, "sending failed");
            return;
        }
        if (count < 0) break;
        connection->sent += (size_t)count;
    }
    bool wants_write = connection->sent < request->length;
    if (wants_write != connection->wants_write) {
        struct epoll_event event = {.events = EPOLLIN | (wants_write ? EPOLLOUT : 0),
                                    .data.ptr = connection};
        epoll_ctl(epoll, EPOLL_CTL_MOD, connection->socket, &event);
        connection->wants_write = wants_write;
    }
}

static void ask(Connection *connection, uint64_t since_ns) {
    connection->current = &connection->requests[connection->turn];
    connection->turn = (connection->turn + 1) % connection->request_count;
    connection->busy = true;
    connection->sent = connection->head_length = 0;
    connection->head_done = false;
    connection->since_ns = since_ns;
    all_requests++;
    send_request(connection);
}

/* Reads the status and the length from a whole head.  NULL, or what is wrong with it. */
static const char *parse_head(Connection *connection) {
    const char *line = connection->head;
    bool has_length = false;
    if (sscanf(line, "HTTP/1.1 %3d", &connection->status) != 1) return "no HTTP/1.1 status line";
    while ((line = strstr(line, "\r\n")) && strncmp(line += 2, "\r\n", 2)) {
        if (!strncasecmp(line, "Transfer-Encoding:", 18)) return "a chunked response";
        if (!strncasecmp(line, "Content-Length:", 15)) {
            char *end;
            connection->body_length = strtoull(line + 15, &end, 10);
            if (has_length || end == line + 15 || *end != '\r') return "a wrong Content-Length";
            has_length = true;
        }
    }
    return has_length ? NULL : "a response without a Content-Length";
}

static void count_response(Connection *connection, uint64_t now) {
    Kind *kind = connection->current->kind;
    all_responses++;
    if (connection->status < 200 || connection->status > 299) {
        kind->bad_statuses++;
        kind->last_bad_status = connection->status;
    }
    /* A closed loop counts what was answered in the time, an open one what fell due in it. */
    uint64_t counts_at = rate ? connection->since_ns : now;
    if (counts_at < measured_from_ns || counts_at >= measured_to_ns) return;
    uint64_t latency = now - connection->since_ns;
    size_t bucket = bucket_of(latency / 1000);
    kind->responses++;
    kind->body_bytes += connection->body_length;
    kind->histogram[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    if (latency > kind->max_ns) kind->max_ns = latency;
}

/* Reads what has come.  True once the response is whole. */
static bool read_response(Connection *connection) {
    static char body[256 * 1024];
    char *into = connection->head_done ? body : connection->head + connection->head_length;
    size_t room =
        connection->head_done ? sizeof body : MAX_HEAD - 1 - connection->head_length;
    ssize_t count = recv(connection->socket, into, room, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    uint64_t length = (uint64_t)count;
    if (count <= 0) {
        give_up(connection, count ? "receiving failed" : "closed by the server");
    } else if (!connection->busy) {
        give_up(connection, "a response that nobody asked for");
    } else if (!connection->head_done) {
        connection->head_length += length;
        connection->head[connection->head_length] = 0;
        char *end = strstr(connection->head, "\r\n\r\n");
        if (!end) {
            if (connection->head_length == MAX_HEAD - 1) give_up(connection, "an endless head");
            return false;
        }
        const char *wrong = parse_head(connection);
        if (wrong) {
            give_up(connection, wrong);
            return false;
        }
        connection->head_done = true;
        length = connection->head_length - (size_t)(end + 4 - connection->head);
        connection->body_left = connection->body_length;
    }
    if (connection->socket < 0) return false;
    if (length > connection->body_left) {
        give_up(connection, "a body longer than its Content-Length");
        return false;
    }
    connection->body_left -= length;
    return !connection->body_left;
}

static void handle(Connection *connection, uint32_t events) {
    if (events & EPOLLOUT) send_request(connection);
    if (connection->socket < 0 || !(events & ~(uint32_t)EPOLLOUT)) return;
    if (!read_response(connection)) return;
    uint64_t now = now_ns();
    count_response(connection, now);
    connection->busy = false;
    if (!rate && now < measured_to_ns)
        ask(connection, now);
    else
        idle[(idle_first + idle_count++) % connection_count] = connection;
}

/* ---- the two loops -------------------------------------------------------- */

static uint64_t due_ns(uint64_t arrival) {
    return start_ns + (uint64_t)(arrival * NANOSECONDS / rate);
}

/* Gives what is due to idle connections. */
static void dispatch(uint64_t *arrivals, uint64_t total) {
    uint64_t now = now_ns();
    while (idle_count && *arrivals < total && due_ns(*arrivals) <= now) {
        Connection *connection = idle[idle_first];
        idle_first = (idle_first + 1) % connection_count;
        idle_count--;
        if (connection->socket >= 0) ask(connection, due_ns((*arrivals)++));
    }
}

/*
 * Runs to the end of the time.  Returns how many requests were due and never answered;
 * busy is the share of the time in which there was something to do.
 */
static uint64_t run(double seconds, double warmup, double *busy) {
    struct epoll_event events[MAX_EVENTS];
    start_ns = now_ns();
    measured_from_ns = start_ns + (uint64_t)(warmup * NANOSECONDS);
    measured_to_ns = measured_from_ns + (uint64_t)(seconds * NANOSECONDS);
    uint64_t arrivals = 0, total = (uint64_t)((warmup + seconds) * rate);
    uint64_t stop_ns = measured_to_ns + (uint64_t)(DRAIN_SECONDS * NANOSECONDS);
    uint64_t busy_ns = 0;
    for (; !rate && idle_count; idle_count--) ask(idle[idle_count - 1], now_ns());
    for (uint64_t now; (now = now_ns()) < stop_ns && alive;) {
        uint64_t asked = all_requests;
        if (rate) dispatch(&arrivals, total);
        if (arrivals == total && idle_count == alive) break;
        int count = epoll_wait(epoll, events, MAX_EVENTS, 0);
        for (int i = 0; i < count; i++) handle(events[i].data.ptr, events[i].events);
        if (count || all_requests != asked)
            busy_ns += now_ns() - now;
        else
            nanosleep(&(struct timespec){.tv_nsec = NAP_NANOSECONDS}, NULL);
    }
    *busy = (double)busy_ns / (now_ns() - start_ns);
    return (rate ? total : all_requests) - all_responses;
}

static bool report(double seconds, uint64_t unanswered, double busy) {
    bool valid = !broken_connections && !unanswered;
    printf("{\"connections\": %zu, \"rate\": %.1f, \"seconds\": %g, \"kinds\": {",
           connection_count, rate, seconds);
    for (size_t i = 0; i < kind_count; i++) {
        Kind *kind = &kinds[i];
        valid = valid && kind->responses && !kind->bad_statuses;
        printf("%s\"%s\": {\"responses\": %llu, \"per_second\": %.1f, \"p50_ms\": %.3f, "
               "\"p99_ms\": %.3f, \"max_ms\": %.3f, \"body_bytes\": %.1f, "
               "\"bad_statuses\": %llu, \"last_bad_status\": %d}",
               i ? ", " : "", kind->name, (unsigned long long)kind->responses,
               kind->responses / seconds, percentile_ms(kind, 0.50), percentile_ms(kind, 0.99),
               kind->max_ns / 1e6, kind->responses ? (double)kind->body_bytes / kind->responses : 0,
               (unsigned long long)kind->bad_statuses, kind->last_bad_status);
    }
    printf("}, \"all_responses\": %llu, \"broken_connections\": %llu, \"last_break\": \"%s\", "
           "\"unanswered\": %llu, \"busy\": %.3f, \"valid\": %s}\n",
           (unsigned long long)all_responses, (unsigned long long)broken_connections, last_break,
           (unsigned long long)unanswered, busy, valid ? "true" : "false");
    return valid;
}

int main(int count, char **arguments) {
    double seconds = 0, warmup = 0, busy;
    if (count < 5 || count % 2 == 0) die("usage: load HOST PORT --seconds S [--warmup S] [--rate R]");
    for (int i = 3; i < count; i += 2) {
        double value = atof(arguments[i + 1]);
        if (!strcmp(arguments[i], "--seconds")) seconds = value;
        else if (!strcmp(arguments[i], "--warmup")) warmup = value;
        else if (!strcmp(arguments[i], "--rate")) rate = value;
        else die("an unknown option");
    }
    if (seconds <= 0 || warmup < 0 || rate < 0) die("--seconds must be above 0");
    read_script(stdin);
    epoll = epoll_create1(0);
    connect_all(arguments[1], arguments[2]);
    uint64_t unanswered = run(seconds, warmup, &busy);
    return report(seconds, unanswered, busy) ? 0 : 1;
}
