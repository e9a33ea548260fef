/*
 * service.h: what a service manager is told (sd_notify(3)): that this process
 * answers, still answers, and ends. Does nothing where nobody asks.
 */
#ifndef IGW_SERVICE_H
#define IGW_SERVICE_H

/*
 * The process answers on `fd`, which listens and stays open. With WATCHDOG_USEC
 * a thread asks it /healthz through that socket twice in this time, and reports
 * only what was answered. Signals are to be blocked before.
 */
void igw_service_ready(int fd);
/* It ends: nothing more is reported. */
void igw_service_stopping(void);

#endif
