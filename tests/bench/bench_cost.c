// SPDX-License-Identifier: Apache-2.0
// Prices: one question and a basket of 50 over ipc, each beside a ping; and the command `godwit cost` from its start to
// its first output, beside `godwit version`, which asks nobody. Argument: rounds.
#include "tests/bench/bench.h"
#include "tests/support/daemon.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#define BASKET 50
#define QUESTION                                                                                                       \
    "\"dataset\":\"" TEST_DATASET "\",\"measure\":{\"statistic\":\"mean\",\"of\":\"hours\"},\"by\":[\"sex\"]"

static double ask_ms(test_asker *asker, const char *body) {
    const uint64_t begin = bench_now_ns();
    if (!test_ask(asker, body, NULL)) {
        fprintf(stderr, "%s: %s %s\n", asker->problem.code, asker->problem.what, asker->problem.why);
        exit(EXIT_FAILURE);
    }
    return (double)(bench_now_ns() - begin) / 1e6;
}

// 50 questions that differ, in thirds: by price, by a target error, and rates of a measure of its own.
static void basket_text(gw_buffer *body) {
    gw_buffer_text(body, "{\"v\":1,\"kind\":\"cost\",\"questions\":[");
    for (int i = 0; i < BASKET; i++)
        gw_buffer_format(body, "%s{" QUESTION ",\"where\":[{\"concept\":\"age\",\"between\":[%d,90]}],%s}",
                         i == 0 ? "" : ",", i,
                         i % 2 == 0 ? "\"epsilon\":\"0.1\"" : "\"target_error\":\"9\",\"group_size\":400");
    gw_buffer_text(body, "]}");
}

static double ask_median(test_asker *asker, const char *body, uint64_t rounds) {
    static bench_samples samples;
    samples.count = 0;
    for (uint64_t i = 0; i < rounds; i++)
        bench_add(&samples, ask_ms(asker, body));
    return bench_median(&samples);
}

// From before the program is started until the first byte of its output is there.
static double first_output_ms(const char *const argv[]) {
    int ends[2];
    char byte;
    if (pipe2(ends, O_CLOEXEC) != 0)
        exit(EXIT_FAILURE);
    const uint64_t begin = bench_now_ns();
    const pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execv(argv[0], (char *const *)(uintptr_t)argv); // execv changes none
        _exit(127);
    }
    close(ends[1]);
    const bool is_read = read(ends[0], &byte, 1) == 1;
    const double ms = (double)(bench_now_ns() - begin) / 1e6;
    char rest[4096];
    while (read(ends[0], rest, sizeof rest) > 0) {
    }
    close(ends[0]);
    int status;
    waitpid(pid, &status, 0);
    if (!is_read || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "%s %s failed\n", argv[0], argv[1]);
        exit(EXIT_FAILURE);
    }
    return ms;
}

static double command_median(const char *const argv[], uint64_t rounds) {
    static bench_samples samples;
    samples.count = 0;
    for (uint64_t i = 0; i < rounds; i++)
        bench_add(&samples, first_output_ms(argv));
    return bench_median(&samples);
}

int main(int argc, char **argv) {
    const uint64_t rounds = bench_argument(argc, argv, 200);
    test_daemon daemon;
    gw_profile profile;
    test_asker asker;
    gw_buffer basket;
    char program[TEST_PATH_MAX];
    test_daemon_with_people(&daemon, 500, (test_budget){"1000", NULL, "0.01", "10"});
    test_daemon_principal(&daemon, "researcher", &profile);
    test_asker_open(&asker, &profile);
    gw_buffer_init(&basket, 1 << 20);
    basket_text(&basket);

    bench_title("prices");
    const double ping = ask_median(&asker, "{\"v\":1,\"kind\":\"ping\"}", rounds);
    bench_line("ping", ping, "ms", 0);
    const double one = ask_median(&asker, "{\"v\":1,\"kind\":\"cost\"," QUESTION ",\"epsilon\":\"0.1\"}", rounds);
    bench_line("cost of one question", one, "ms", one / ping);
    const double many = ask_median(&asker, gw_buffer_string(&basket), rounds);
    bench_line("cost of a basket of 50", many, "ms", many / one);

    test_program("godwit", program);
    setenv("GODWIT_PROFILE", profile.path, 1);
    const char *const version[] = {program, "version", NULL};
    const char *const cost[] = {program, "cost", TEST_DATASET, "--measure", "mean:hours",
                                "--by",  "sex",  "--epsilon",  "0.1",       NULL};
    const double bare = command_median(version, rounds / 4 + 1);
    bench_line("godwit version, start to first output", bare, "ms", 0);
    const double priced = command_median(cost, rounds / 4 + 1);
    bench_line("godwit cost, start to first output", priced, "ms", priced / bare);

    gw_buffer_done(&basket);
    test_asker_close(&asker);
    test_daemon_done(&daemon);
    return EXIT_SUCCESS;
}
