using System.Diagnostics;
using System.Globalization;

namespace Resources.Silo;

/// <summary>One run of a cluster's server, from its start to its end.</summary>
internal sealed class PostgresServer
{
    const int Attempts = 5;

    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    // The node holds the other end of this shell's input. It closes with the node however that ends, and the shell then
    // stops the very server it started (by pid: a new node may have put another one on the same files). pg_ctl gives
    // the server a session of its own, so the terminal's Ctrl+C reaches neither it nor the shell, and the node can
    // drain first.
    // pg_ctl writes the paths that it is told into a shell's command line, where " and $ have a meaning. Those of the
    // environment and the working directory it does not.
    const string Supervisor = """
        trap '' INT TERM HUP QUIT PIPE
        ctl=$1 options=$3 pid=
        export PGDATA="$2"
        cd "$PGDATA" || exit 1
        if ! "$ctl" start -l server.log -o "$options" -w -t 60 -s </dev/null >/dev/null 2>&1; then
            "$ctl" stop -m immediate -w -s </dev/null >/dev/null 2>&1
            exit 1
        fi
        read -r pid <"$PGDATA/postmaster.pid"
        # The node may have died meanwhile.
        echo started 2>/dev/null
        exec >/dev/null 2>&1
        while read -r line; do :; done
        running() { now=; read -r now <"$PGDATA/postmaster.pid"; [ "$now" = "$pid" ] && kill -0 "$pid"; }
        if running; then kill -INT "$pid"; fi
        while running; do sleep 0.1; done
        """;

    readonly int pid;
    Process? supervisor;

    PostgresServer(Process? supervisor, int pid)
    {
        this.supervisor = supervisor;
        this.pid = pid;
    }

    public int? SupervisorId => supervisor?.Id;

    /// <summary>Starts the server, and waits until it takes connections.</summary>
    /// <param name="choosePort">Asked anew at each attempt: a port that is free may be taken a moment later.</param>
    /// <exception cref="EmbeddedPostgresException">It does not start.</exception>
    public static async Task<(PostgresServer Server, int Port)> StartAsync(
        PostgresCluster cluster,
        Func<int> choosePort,
        CancellationToken ct
    )
    {
        for (var attempt = 1; ; attempt++)
        {
            cluster.RotateLog();
            var port = choosePort();
            var (started, supervisor) = await LaunchAsync(cluster, Options(cluster, port), ct);
            if (started)
                return (new(supervisor, cluster.ServerId), port);

            var log = cluster.LogTail();
            // A killed server's processes may need a moment to leave.
            var passing =
                log.Contains("could not bind", StringComparison.Ordinal)
                || log.Contains("pre-existing shared memory", StringComparison.Ordinal);
            if (!passing || attempt == Attempts)
                throw new EmbeddedPostgresException(
                    $"PostgreSQL does not start on {cluster.Location}. Its log ends with:\n{log}"
                );
            await Task.Delay(Pause, ct);
        }
    }

    /// <summary>Waits for the end of the server, whatever brings it about. It is no child of the node.</summary>
    public async Task EndedAsync(CancellationToken ct)
    {
        while (IsRunning(pid))
            await Task.Delay(Pause, ct);
    }

    /// <summary>Stops the server if it still runs.</summary>
    public async Task StopAsync()
    {
        var ending = supervisor;
        supervisor = null;
        if (ending is not null)
            await EndAsync(ending);
    }

    static bool IsRunning(int pid)
    {
        try
        {
            // Nobody may collect what is left of it: a container's first process need not.
            if (OperatingSystem.IsLinux())
                return File.ReadAllText($"/proc/{pid}/stat").Split(')')[^1] is not [' ', 'Z' or 'X', ..];
            using var process = Process.GetProcessById(pid);
            return !process.HasExited;
        }
        catch (Exception e) when (e is ArgumentException or IOException)
        {
            return false;
        }
    }

    static async Task<(bool Started, Process? Supervisor)> LaunchAsync(
        PostgresCluster cluster,
        string options,
        CancellationToken ct
    )
    {
        var control = cluster.Binaries["pg_ctl"];
        if (OperatingSystem.IsWindows())
        {
            // No redirection: the server would inherit the pipes and keep them open.
            var direct = cluster.Account.Command(
                control,
                "start",
                "-l",
                cluster.Log,
                "-o",
                options,
                "-w",
                "-t",
                "60",
                "-s"
            );
            direct.Environment["PGDATA"] = cluster.Location;
            using var start = Process.Start(direct)!;
            await start.WaitForExitAsync(ct);
            return (start.ExitCode == 0, null);
        }

        var shell = cluster.Account.Command(
            "/bin/sh",
            "-c",
            Supervisor,
            "postgres-supervisor",
            control,
            cluster.Location,
            options
        );
        shell.RedirectStandardInput = shell.RedirectStandardOutput = true;
        var supervisor = Process.Start(shell)!;
        try
        {
            if (await supervisor.StandardOutput.ReadLineAsync(ct) == "started")
                return (true, supervisor);
        }
        catch (OperationCanceledException)
        {
            await EndAsync(supervisor);
            throw;
        }
        await EndAsync(supervisor);
        return (false, null);
    }

    static async Task EndAsync(Process supervisor)
    {
        supervisor.StandardInput.Close();
        await supervisor.WaitForExitAsync();
        supervisor.Dispose();
    }

    static string Options(PostgresCluster cluster, int port)
    {
        string[] settings =
        [
            $"cluster_name={cluster.Mark}",
            "listen_addresses=127.0.0.1",
            $"port={port}",
            string.Create(CultureInfo.InvariantCulture, $"shared_buffers={SharedBuffers()}MB"),
            "max_connections=200",
            "max_wal_size=2GB",
            "checkpoint_completion_target=0.9",
            "logging_collector=off",
            // Windows has none unless asked.
            .. OperatingSystem.IsWindows() ? [] : (string[])["unix_socket_directories="],
        ];
        return string.Join(' ', settings.Select(setting => $"-c {setting}"));
    }

    // In megabytes: an eighth of the memory, half of what PostgreSQL's manual gives a machine of its own, as the node
    // needs some too. A container's limit counts.
    static long SharedBuffers() => Math.Clamp(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8 >> 20, 128, 2048);
}
