#include "agent.h"

#include <stdio.h>
#include <string.h>

struct mark {
    const char *mark;
    const char *name;
};

/* Browsers also say that they are those that come later here. */
static const struct mark browsers[] = {
    { "Edg", "Edge" },
    { "OPR/", "Opera" },
    { "YaBrowser/", "Yandex" },
    { "Vivaldi/", "Vivaldi" },
    { "SamsungBrowser/", "Samsung Internet" },
    { "Firefox/", "Firefox" },
    { "FxiOS/", "Firefox" },
    { "CriOS/", "Chrome" },
    { "Chrome/", "Chrome" },
    { "Safari/", "Safari" },
};

static const struct mark systems[] = {
    { "Windows", "Windows" }, { "Android", "Android" }, { "iPhone", "iOS" },
    { "iPad", "iPadOS" },     { "Mac OS X", "macOS" },  { "CrOS", "ChromeOS" },
    { "Linux", "Linux" },
};

static const char *
find(const char *text, const struct mark *marks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strstr(text, marks[i].mark) != NULL) {
            return marks[i].name;
        }
    }
    return NULL;
}

void
agent_name(const char *user_agent, char name[AGENT_NAME_SIZE])
{
    const char *browser =
        find(user_agent, browsers, sizeof(browsers) / sizeof(browsers[0]));
    const char *system =
        find(user_agent, systems, sizeof(systems) / sizeof(systems[0]));

    if (browser != NULL) {
        (void)snprintf(name, AGENT_NAME_SIZE, "%s%s%s", browser,
                       system != NULL ? ", " : "",
                       system != NULL ? system : "");
        return;
    }
    /* Of ASCII up to there, so that no character is cut. */
    (void)snprintf(name, AGENT_NAME_SIZE, "%.*s",
                   (int)strspn(user_agent, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                           "abcdefghijklmnopqrstuvwxyz"
                                           "0123456789._-+"),
                   user_agent);
}
