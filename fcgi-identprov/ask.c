#include "ask.h"

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "crypto.h"

/* Cuts the line's end off. False: nothing came, or more than fits. */
static bool
read_line(FILE *in, char line[ASK_SIZE])
{
    size_t len;

    if (fgets(line, ASK_SIZE, in) == NULL) {
        return false;
    }
    len = strlen(line);
    if (len > 0 && line[len - 1] == '\n') {
        line[len - 1] = '\0';
        return true;
    }
    return len < ASK_SIZE - 1;
}

/* From the terminal without echo, else from a pipe as it is. */
static bool
read_password(const char *prompt, char line[ASK_SIZE])
{
    struct termios before;
    struct termios silent;
    bool is_terminal = tcgetattr(STDIN_FILENO, &before) == 0;
    bool is_read;

    if (is_terminal) {
        silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        silent.c_lflag |= ECHONL;
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
        (void)fprintf(stderr, "%s: ", prompt);
    }
    is_read = read_line(stdin, line);
    if (is_terminal) {
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    }
    return is_read;
}

bool
ask_password(char line[ASK_SIZE])
{
    char again[ASK_SIZE];
    bool is_same = true;

    /* The buffer of stdio is a copy that nobody could wipe. */
    (void)setvbuf(stdin, NULL, _IONBF, 0);
    if (!read_password("Password", line)) {
        (void)fprintf(stderr, "identprov: no password on standard input\n");
        return false;
    }
    if (isatty(STDIN_FILENO)) {
        is_same =
            read_password("The same again", again) && strcmp(line, again) == 0;
        igw_wipe(again, sizeof(again));
    }
    if (!is_same) {
        (void)fprintf(stderr, "identprov: these are two different passwords\n");
    }
    return is_same;
}
