using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Resources.Silo;

/// <summary>
/// The files of a node's private PostgreSQL: where they are, how they are made, and what an earlier run left behind.
/// </summary>
internal sealed class PostgresCluster
{
    /// <summary>What lines of initdb that name a cause contain.</summary>
    static readonly string[] Marks = ["FATAL:", "PANIC:", "error:"];

    /// <summary>The superuser, and the database that belongs to it.</summary>
    public const string Name = "resources";

    const string Elsewhere = "/var/lib/resources";
    const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    PostgresCluster(string location, string password, PostgresAccount account, PostgresBinaries binaries)
    {
        Location = location;
        Password = password;
        Account = account;
        Binaries = binaries;
    }

    public string Location { get; }
    public string Password { get; }
    public PostgresAccount Account { get; }
    public PostgresBinaries Binaries { get; }

    /// <summary>The log of the present start; the one before has ".1" behind its name.</summary>
    public string Log => Path.Combine(Location, "server.log");

    /// <summary>Names the cluster in its server's command line, where PostgreSQL takes plain characters only.</summary>
    public string Mark => MarkOf(Location);

    /// <summary>The process id of the server that was started last.</summary>
    public int ServerId => int.Parse(File.ReadLines(PidFile).First(), CultureInfo.InvariantCulture);

    string PidFile => Path.Combine(Location, "postmaster.pid");

    /// <summary>Finds the cluster of a data directory, or makes it. The caller holds the directory's lock.</summary>
    public static async Task<PostgresCluster> OpenAsync(EmbeddedOptions options, ILogger logger, CancellationToken ct)
    {
        var dataDirectory = Path.GetFullPath(options.DataDirectory);
        var (location, account) = await LocateAsync(dataDirectory, logger, ct);
        var passwordFile = Path.Combine(dataDirectory, "postgres-password");
        if (Directory.Exists(location) && !File.Exists(passwordFile))
            SetAside(dataDirectory, location, logger);
        if (!File.Exists(passwordFile))
            WritePrivately(passwordFile, Convert.ToHexString(RandomNumberGenerator.GetBytes(24)));
        var password = (await File.ReadAllTextAsync(passwordFile, ct)).Trim();

        var versionFile = Path.Combine(location, "PG_VERSION");
        int? major = File.Exists(versionFile)
            ? int.Parse(await File.ReadAllTextAsync(versionFile, ct), CultureInfo.InvariantCulture)
            : null;
        var binaries = await PostgresBinaries.FindAsync(major, options, account, logger, ct);
        var cluster = new PostgresCluster(location, password, account, binaries);
        if (major is null)
            await cluster.CreateAsync(logger, ct);
        return cluster;
    }

    /// <summary>
    /// Stops a server that outlived its node and its supervisor, and clears a pid file whose number another program has
    /// by now.
    /// </summary>
    public async Task StopLeftoverAsync(ILogger logger)
    {
        if (!File.Exists(PidFile))
            return;
        // Line 1 is the server's pid, line 2 the data directory as the server itself spelt it.
        var lines = await File.ReadAllLinesAsync(PidFile);
        if (lines.Length < 2 || !int.TryParse(lines[0], CultureInfo.InvariantCulture, out var pid))
            return;

        if (await CommandLineOfAsync(pid) is not { } commandLine)
            return; // Nobody has that number: PostgreSQL itself steps over such a file.
        if (
            !commandLine.Contains("postgres", StringComparison.Ordinal)
            || !(
                OperatingSystem.IsWindows()
                || commandLine.Contains(MarkOf(lines[1]), StringComparison.Ordinal)
                // Servers of earlier versions were told their directory.
                || commandLine.Contains(lines[1], StringComparison.Ordinal)
            )
        )
        {
            File.Delete(PidFile);
            return;
        }

        logger.LogWarning(
            "PostgreSQL (pid {Pid}) is running on {Location} without its node; stopping it",
            pid,
            Location
        );
        foreach (var mode in (string[])["fast", "immediate"])
        {
            if (
                await Account.RunAsync(
                    [Binaries["pg_ctl"], "stop", "-D", Location, "-m", mode, "-w", "-t", "30", "-s"],
                    CancellationToken.None
                ) is
                (0, _)
            )
                return;
        }
        throw new EmbeddedPostgresException(
            $"PostgreSQL (pid {pid}) is still running on {Location} and could not be stopped."
        );
    }

    /// <summary>Begins a new log, so that it speaks of one start only.</summary>
    public void RotateLog()
    {
        if (File.Exists(Log))
            File.Move(Log, Log + ".1", overwrite: true);
    }

    /// <summary>The end of the server's log, for a message.</summary>
    public string LogTail()
    {
        if (!File.Exists(Log))
            return "(no log)";
        using var reader = new StreamReader(
            new FileStream(Log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete)
        );
        return string.Join('\n', reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(20));
    }

    // Below a directory that is closed to others (root's home, say) the unprivileged account cannot reach its files.
    // Where they went is written down, so that they are found again even when the permissions have changed since.
    static async Task<(string Location, PostgresAccount Account)> LocateAsync(
        string dataDirectory,
        ILogger logger,
        CancellationToken ct
    )
    {
        var note = Path.Combine(dataDirectory, "postgres-location.txt");
        var location = File.Exists(note) ? File.ReadLines(note).First() : Path.Combine(dataDirectory, "postgres");
        var account = await PostgresAccount.ForAsync(location, ct);
        if (File.Exists(note) || await account.CanEnterAsync(dataDirectory, ct))
            return (location, account);
        if (Directory.Exists(location))
            throw new EmbeddedPostgresException(
                $"The account that owns {location} can no longer reach it; open its parent directories to it."
            );

        location = Path.Combine(Elsewhere, HashOf(dataDirectory));
        EmbeddedFolders.MakeOpen(Elsewhere);
        account = await PostgresAccount.ForAsync(location, ct);
        if (!await account.CanEnterAsync(Elsewhere, ct))
            throw new EmbeddedPostgresException(
                $"The account that PostgreSQL runs as can enter neither {dataDirectory} nor {Elsewhere}; open one of them to it."
            );
        WritePrivately(
            note,
            $"{location}\nholds the PostgreSQL files of this node, whose account cannot reach this directory.\n"
        );
        logger.LogInformation(
            "The database account cannot reach {DataDirectory}; its files are in {Location}",
            dataDirectory,
            location
        );
        return (location, account);
    }

    static string MarkOf(string location) => "resources-" + HashOf(location);

    static string HashOf(string path) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(path)))[..12];

    // Without its password a cluster is of no use to us. Beside its data directory that is an accident worth stopping
    // for; elsewhere it means that the data directory was deleted to begin anew.
    static void SetAside(string dataDirectory, string location, ILogger logger)
    {
        if (location.StartsWith(dataDirectory, StringComparison.Ordinal))
            throw new EmbeddedPostgresException(
                $"{dataDirectory} has a database but no file postgres-password. Restore the file, or delete {location} to begin anew."
            );
        var aside = $"{location}.{DateTime.UtcNow:yyyyMMddHHmmss}";
        Directory.Move(location, aside);
        logger.LogWarning(
            "{DataDirectory} is new; the database of an earlier directory at this path was set aside as {Aside}",
            dataDirectory,
            aside
        );
    }

    // Made beside its place and then renamed: a node killed in the middle leaves nothing that looks like a cluster.
    async Task CreateAsync(ILogger logger, CancellationToken ct)
    {
        ClearUnfinished();
        // A name of its own, since the initdb of a killed node may still be at work in the earlier one.
        var staging = $"{Location}.new{Random.Shared.Next()}";
        var passwordFile = staging + ".pw";
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(staging);
        else
            Directory.CreateDirectory(staging, Private);
        await Account.OwnAsync(staging, ct);

        logger.LogInformation("Creating a private PostgreSQL {Major} database in {Location}", Binaries.Major, Location);
        WritePrivately(passwordFile, Password);
        try
        {
            await Account.OwnAsync(passwordFile, ct);
            var (exitCode, output) = await Account.RunAsync(
                [
                    Binaries["initdb"],
                    "-D",
                    staging,
                    "-U",
                    Name,
                    "--pwfile",
                    passwordFile,
                    "-A",
                    "scram-sha-256",
                    "-E",
                    "UTF8",
                    "--locale",
                    "C",
                ],
                ct
            );
            if (exitCode != 0)
                throw new EmbeddedPostgresException(
                    $"PostgreSQL could not create a database in {Location}: {CauseIn(output)}"
                );
        }
        finally
        {
            File.Delete(passwordFile);
        }
        Directory.Move(staging, Location);
    }

    /// <summary>The line of initdb's output that says why: its last error, else its last line.</summary>
    static string CauseIn(string output)
    {
        var lines = output.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return lines.LastOrDefault(line => Marks.Any(mark => line.Contains(mark, StringComparison.Ordinal)))
            ?? lines.LastOrDefault()
            ?? "initdb says nothing.";
    }

    void ClearUnfinished()
    {
        foreach (
            var path in Directory.GetFileSystemEntries(
                Path.GetDirectoryName(Location)!,
                Path.GetFileName(Location) + ".new*"
            )
        )
        {
            try
            {
                if (Directory.Exists(path))
                    Directory.Delete(path, recursive: true);
                else
                    File.Delete(path);
            }
            catch (IOException)
            {
                // Still being written to; a later start gets it.
            }
        }
    }

    static void WritePrivately(string path, string text)
    {
        var unfinished = path + ".tmp";
        File.Delete(unfinished);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var writer = new StreamWriter(unfinished, options))
            writer.Write(text);
        File.Move(unfinished, path, overwrite: true);
    }

    // What the process was started with (on Windows only its program); null when there is none of that number.
    static async Task<string?> CommandLineOfAsync(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            if (OperatingSystem.IsLinux())
                return await File.ReadAllTextAsync($"/proc/{pid}/cmdline");
            if (OperatingSystem.IsWindows())
                return process.MainModule?.FileName;
        }
        catch (Exception e) when (e is ArgumentException or IOException)
        {
            return null;
        }
        using var ps = Process.Start(
            new ProcessStartInfo("ps", ["-p", $"{pid}", "-o", "args="]) { RedirectStandardOutput = true }
        )!;
        return await ps.StandardOutput.ReadToEndAsync();
    }
}
