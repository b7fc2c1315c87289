using System.Diagnostics;

namespace Resources.Silo;

/// <summary>
/// The account that PostgreSQL's programs run as: this process's own, or, since the server refuses to run as root,
/// an unprivileged one when the node is root.
/// </summary>
internal sealed class PostgresAccount
{
    readonly string user = "";
    readonly string group = "";
    readonly Func<string[], string[]> launcher = command => command;

    PostgresAccount() { }

    PostgresAccount(string user, string group, Func<string[], string[]> launcher)
    {
        this.user = user;
        this.group = group;
        this.launcher = launcher;
    }

    bool IsOther => user.Length > 0;

    /// <summary>
    /// Picks the account; a directory that exists already keeps its owner, so that a cluster made without root stays
    /// usable without.
    /// </summary>
    public static async Task<PostgresAccount> ForAsync(string clusterDirectory, CancellationToken ct)
    {
        var self = new PostgresAccount();
        if (OperatingSystem.IsWindows() || !Environment.IsPrivilegedProcess)
            return self;

        foreach (var (name, user, group) in await CandidatesAsync(self, clusterDirectory, ct))
        {
            Func<string[], string[]>[] launchers =
            [
                command => ["setpriv", "--reuid", user, "--regid", group, "--clear-groups", "--", .. command],
                command => ["runuser", "-u", name, "--", .. command],
                command => ["su", "-s", "/bin/sh", name, "-c", string.Join(' ', command.Select(Quote))],
            ];
            foreach (var launcher in launchers)
            {
                var account = new PostgresAccount(user, group, launcher);
                if (await account.RunAsync(["id", "-u"], ct) is (0, var id) && id.Trim() == user)
                    return account;
            }
        }
        throw new EmbeddedPostgresException(
            "PostgreSQL does not run as root, and no unprivileged account (postgres, nobody) could be switched to "
                + "with setpriv, runuser or su. "
                + "Start the node as a normal user, or set ConnectionStrings__Resources."
        );
    }

    /// <summary>How to start a program as this account.</summary>
    public ProcessStartInfo Command(params string[] command)
    {
        var line = launcher(command);
        // The node's own working directory may be closed to the account.
        var start = new ProcessStartInfo(line[0], line[1..])
        {
            WorkingDirectory = Path.GetPathRoot(Environment.CurrentDirectory),
        };
        // The server's log is searched for what went wrong, so it must not be translated.
        start.Environment["LC_ALL"] = "C";
        return start;
    }

    /// <summary>
    /// Runs a program as this account to its end; a program that is not there counts as exit code 127, as in a shell.
    /// </summary>
    public async Task<(int ExitCode, string Output)> RunAsync(string[] command, CancellationToken ct)
    {
        var start = Command(command);
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        try
        {
            using var process = Process.Start(start)!;
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(ct);
            var errors = process.StandardError.ReadToEndAsync(ct);
            await process.WaitForExitAsync(ct);
            return (process.ExitCode, await output + await errors);
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            return (127, missing.Message);
        }
    }

    /// <summary>Whether the account gets as far as this directory.</summary>
    public async Task<bool> CanEnterAsync(string directory, CancellationToken ct) =>
        !IsOther || await RunAsync(["/bin/sh", "-c", "cd \"$1\"", "sh", directory], ct) is (0, _);

    /// <summary>Hands a file or directory that the node made to the account.</summary>
    public async Task OwnAsync(string path, CancellationToken ct)
    {
        if (IsOther && await new PostgresAccount().RunAsync(["chown", $"{user}:{group}", path], ct) is (not 0, var why))
            throw new EmbeddedPostgresException($"{path} could not be handed to account {user}: {why.Trim()}");
    }

    static async Task<List<(string Name, string User, string Group)>> CandidatesAsync(
        PostgresAccount self,
        string directory,
        CancellationToken ct
    )
    {
        var found = new List<(string, string, string)>();
        // "drwx------ 19 1000 1000 4096 …": the third and fourth words are the owner's numbers, on every Unix.
        if (
            await self.RunAsync(["ls", "-nd", directory], ct) is (0, var listing)
            && listing.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, _, not "0", _, ..] words
        )
        {
            found.Add((words[2], words[2], words[3]));
        }

        foreach (var name in (string[])["postgres", "nobody"])
        {
            if (
                await self.RunAsync(["id", "-u", name], ct) is (0, var user)
                && await self.RunAsync(["id", "-g", name], ct) is (0, var group)
            )
                found.Add((name, user.Trim(), group.Trim()));
        }
        return found;
    }

    static string Quote(string word) => $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
