using System.ComponentModel.DataAnnotations;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Resources.Api;

/// <summary>Section <c>Passwords</c>.</summary>
public sealed class PasswordOptions
{
    /// <summary>Threads that hash passwords. All logins of the node together take no more of it than these.</summary>
    [Range(1, 256)]
    public int HashThreads { get; set; } = Math.Max(1, Environment.ProcessorCount / 4);
}

/// <summary>What came of checking a password.</summary>
public enum PasswordCheck
{
    Wrong,
    Right,

    /// <summary>Right, but hashed more weakly than passwords are today.</summary>
    RightButOld,
}

/// <summary>More passwords wait to be hashed than will be in reasonable time.</summary>
public sealed class PasswordsBusyException() : Exception("Too many logins are under way.");

/// <summary>
/// Passwords: 15 to 128 characters of any kind, compared as sent but for Unicode's canonical composition, hashed with
/// PBKDF2-SHA512. Hashing is meant to be slow, so it has threads of its own, which give way to all else; who comes when
/// too many wait is told so.
/// </summary>
public sealed class Passwords : IDisposable
{
    public const int MinLength = 15;
    public const int MaxLength = 128;

    /// <summary>ASVS 5.0, appendix C asks for 210,000 or more with SHA-512.</summary>
    const int Rounds = 220_000;

    /// <summary>Some seconds of work for one thread.</summary>
    const int MostWaiting = 50;

    const int LowPriority = 10;

    readonly PasswordHasher<object> hasher = new(Options.Create(new PasswordHasherOptions { IterationCount = Rounds }));
    readonly Channel<Action> work = Channel.CreateBounded<Action>(MostWaiting);
    readonly string nobody;

    public Passwords(PasswordOptions options)
    {
        nobody = hasher.HashPassword(this, Guid.CreateVersion7().ToString());
        for (var i = 0; i < options.HashThreads; i++)
            new Thread(Work) { IsBackground = true, Name = "password hashing" }.Start();
    }

    /// <exception cref="PasswordsBusyException">Too many wait already.</exception>
    public Task<string> HashAsync(string password) =>
        RunAsync(() => hasher.HashPassword(this, UnicodeNfc.Compose(password)));

    /// <summary>
    /// Whether a password is the one that was hashed. No hash, as where there is no account, costs the same time as
    /// one.
    /// </summary>
    /// <exception cref="PasswordsBusyException">Too many wait already.</exception>
    public Task<PasswordCheck> VerifyAsync(string? hash, string password) =>
        RunAsync(() =>
            hasher.VerifyHashedPassword(this, hash ?? nobody, UnicodeNfc.Compose(password)) switch
            {
                PasswordVerificationResult.Success when hash is not null => PasswordCheck.Right,
                PasswordVerificationResult.SuccessRehashNeeded when hash is not null => PasswordCheck.RightButOld,
                _ => PasswordCheck.Wrong,
            }
        );

    /// <summary>Refuses what would be refused later, before anything is looked up for it.</summary>
    /// <exception cref="PasswordsBusyException">Too many wait already.</exception>
    public void ThrowIfBusy()
    {
        if (work.Reader.Count >= MostWaiting)
            throw new PasswordsBusyException();
    }

    public void Dispose() => work.Writer.TryComplete();

    async Task<T> RunAsync<T>(Func<T> hash)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!work.Writer.TryWrite(Run))
            throw new PasswordsBusyException();
        return await done.Task;

        void Run()
        {
            try
            {
                done.SetResult(hash());
            }
            catch (Exception e)
            {
                // On a thread of ours it would end the process.
                done.SetException(e);
            }
        }
    }

    void Work()
    {
        // The runtime leaves priorities of threads alone on Linux, where the system takes 0 for the thread that asks.
        if (OperatingSystem.IsLinux())
            _ = SetPriority(0, 0, LowPriority);
        else
            Thread.CurrentThread.Priority = ThreadPriority.BelowNormal;
        while (work.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        while (work.Reader.TryRead(out var hash))
            hash();
    }

    [DllImport("libc", EntryPoint = "setpriority"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int SetPriority(int which, int who, int priority);
}
