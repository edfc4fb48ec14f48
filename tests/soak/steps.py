# SPDX-License-Identifier: ISC
"""What the soak does, and what it does to harm: each step by its own random
numbers, so that it is the same with the same seed as far as the state of
things is."""

import contextlib
import os
import signal
import time

from haul import family

# weights of what is done in each step, and of what is done to harm
STEPS = {"deliver": 50, "burst": 3, "large": 2, "flags": 8, "expunge": 6,
         "poll": 6, "fetch": 2, "pause": 3, "resume": 4, "reload": 2,
         "change": 2, "remove": 1, "broken": 1, "status": 4}
HARMS = {"kill_engine": 5, "kill_deliverer": 5, "kill_supervisor": 4,
         "restart": 2, "server_restart": 4, "server_crash": 2,
         "server_stops": 4}


def choose(rng, weights):
    return rng.choices(list(weights), list(weights.values()))[0]


class Steps:
    """Of a Soak: its do_NAME for each NAME in STEPS and HARMS."""

    def do_deliver(self, rng):
        return self.source(rng).deliver(rng, rng.choice([1, 1, 2, 3]))

    def do_burst(self, rng):
        return self.source(rng).deliver(rng, rng.randint(20, 60), way="file")

    def do_large(self, rng):
        return self.source(rng).deliver(
            rng, 1, rng.randint(1 << 19, 3 << 20), "file")

    def do_flags(self, rng):
        return self.source(rng).flags(rng)

    def do_expunge(self, rng):
        return self.source(rng).expunge(rng)

    def command(self, rng, command, *args):
        self.commands.append((time.monotonic(), command, args, self.haul.start(
            *args, command=command)))

    def present(self, rng):
        return rng.choice(sorted(self.haul.accounts))

    def do_poll(self, rng):
        self.command(rng, "poll", *(
            [self.present(rng)] if rng.random() < .7 else []))

    def do_fetch(self, rng):
        self.command(rng, "fetch", self.present(rng))

    def do_pause(self, rng):
        self.command(rng, "pause", self.present(rng))

    def do_resume(self, rng):
        self.command(rng, "resume", *(
            [self.present(rng)] if rng.random() < .5 else []))

    def do_reload(self, rng):
        if rng.random() < .5:
            self.reload()
        else:
            mark = self.daemon.mark()
            self.daemon.signal(signal.SIGHUP)
            self.daemon.wait_log("reloaded: ", mark)

    def reload(self):
        r = self.haul.run(command="reload")
        if r.status != 0:
            self.complain("reload: %r" % r)
        return r.out.strip()

    def do_change(self, rng):
        name = self.present(rng)
        self.haul.accounts[name]["command-timeout"] = \
            "%ds" % rng.randint(60, 300)
        self.haul.write_conf()
        return name + ": " + self.reload()

    def do_remove(self, rng):
        """An account goes, or all that went come back."""
        if len(self.haul.accounts) < len(self.configured):
            return self.bring_back()
        name = self.present(rng)
        del self.haul.accounts[name]
        self.haul.write_conf()
        return name + ": " + self.reload()

    def bring_back(self):
        self.haul.accounts.update(
            {k: v for k, v in self.configured.items()
             if k not in self.haul.accounts})
        self.haul.write_conf()
        return self.reload()

    def do_broken(self, rng):
        self.haul.write_conf(self.haul.conf_text() + "intervall = 5m\n")
        r = self.haul.run(command="reload")
        if r.status != 78:
            self.complain("reload of a bad configuration: %r" % r)
        self.haul.write_conf()

    def do_status(self, rng):
        s = self.status()
        if len(s["accounts"]) != len(self.haul.accounts):
            self.complain("status of %d accounts" % len(s["accounts"]))
        return " ".join(
            "%s=%s" % (a["name"], a["state"]) for a in s["accounts"])

    def busy(self, rng):
        """So that something is being done right now."""
        for _ in range(rng.randint(0, 3)):
            self.source(rng).deliver(rng, rng.randint(1, 15), way="file")
        time.sleep(rng.random() ** 2 * .6)

    def kill_child(self, rng, role):
        self.busy(rng)
        self.daemon.seen()
        pids = self.daemon.pids(role)
        if not pids:
            return "there is no " + role
        pid = rng.choice(sorted(pids))
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.kills.append((time.time(), role))
            self.killed[role] += 1
        return str(pid)

    def do_kill_engine(self, rng):
        return self.kill_child(rng, "engine")

    def do_kill_deliverer(self, rng):
        return self.kill_child(rng, "deliverer")

    def do_kill_supervisor(self, rng):
        self.busy(rng)
        d = self.daemon
        d.seen()
        d.proc.kill()
        d.proc.wait()
        self.kills.append((time.time(), "supervisor"))
        self.bury(d)
        self.start()

    def do_restart(self, rng):
        self.busy(rng)
        self.end()
        self.start()

    def do_server_restart(self, rng):
        self.busy(rng)
        self.kills.append((time.time(), "server"))
        pids = family(self.server.proc.pid)
        self.server.stop_process()
        self.server_up(rng, pids)

    def do_server_crash(self, rng):
        self.busy(rng)
        self.kills.append((time.time(), "server"))
        pids = family(self.server.proc.pid)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.server.proc.wait()
        self.server_up(rng, pids)

    def server_up(self, rng, pids):
        time.sleep(rng.random() * 3)
        self.source(rng, down=True).deliver(rng, 2, way="file")
        for _ in range(20):
            if self.server.up():
                return
        raise AssertionError("Dovecot: " + self.server.log()[-3000:])

    def do_server_stops(self, rng):
        self.busy(rng)
        pids = family(self.server.proc.pid)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        time.sleep(rng.random() * 4)
        self.source(rng, down=True).deliver(rng, 2, way="file")
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
