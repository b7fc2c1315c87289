using System.ComponentModel.DataAnnotations;
using System.Runtime.InteropServices;
using System.Threading.Channels;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using Resources.Grains;

namespace Resources.Api;

/// <summary>Section <c>Passwords</c>.</summary>
public sealed class PasswordOptions
{
    /// <summary>Threads that hash passwords. They bound the processor time of all the node's logins together.</summary>
    [Range(1, 256)]
    public int HashThreads { get; set; } = Math.Max(1, Environment.ProcessorCount / 4);
}

/// <summary>The outcome of a password check.</summary>
public enum PasswordCheck
{
    Wrong,
    Right,

    /// <summary>Right, but its hash is weaker than today's.</summary>
    RightButOld,
}

/// <summary>The queue of passwords to hash is full.</summary>
public sealed class PasswordsBusyException()
    : ProblemException(ProblemType.LoginBusy, "Too many passwords are being checked. Try again in a moment.");

/// <summary>
/// Hashes and verifies passwords: 15 to 128 characters of any kind, normalised to Unicode NFC and hashed with
/// PBKDF2-SHA512. Hashing is slow by design, so it runs on its own low-priority threads behind a bounded queue.
/// </summary>
public sealed class Passwords : IDisposable
{
    public const int MinLength = 15;
    public const int MaxLength = 128;

    /// <summary>ASVS 5.0, appendix C asks for 210,000 or more with SHA-512.</summary>
    const int Rounds = 220_000;

    /// <summary>A few seconds of work for one thread.</summary>
    const int MaxWaiting = 50;

    const int LowPriority = 10;

    readonly PasswordHasher<object> hasher = new(Options.Create(new PasswordHasherOptions { IterationCount = Rounds }));
    readonly Channel<Action> work = Channel.CreateBounded<Action>(MaxWaiting);
    readonly string nobody;

    public Passwords(PasswordOptions options)
    {
        nobody = hasher.HashPassword(this, Guid.CreateVersion7().ToString());
        for (var i = 0; i < options.HashThreads; i++)
            new Thread(Work) { IsBackground = true, Name = "password hashing" }.Start();
    }

    /// <exception cref="PasswordsBusyException">The queue is full.</exception>
    public Task<string> HashAsync(string password) =>
        RunAsync(() => hasher.HashPassword(this, UnicodeForms.Compose(password)));

    /// <summary>
    /// Whether a password matches a hash. Without a hash, as for an unknown account, the check takes the same time.
    /// </summary>
    /// <exception cref="PasswordsBusyException">The queue is full.</exception>
    public Task<PasswordCheck> VerifyAsync(string? hash, string password) =>
        RunAsync(() =>
            hasher.VerifyHashedPassword(this, hash ?? nobody, UnicodeForms.Compose(password)) switch
            {
                PasswordVerificationResult.Success when hash is not null => PasswordCheck.Right,
                PasswordVerificationResult.SuccessRehashNeeded when hash is not null => PasswordCheck.RightButOld,
                _ => PasswordCheck.Wrong,
            }
        );

    /// <summary>Throws early if the queue is full, before the caller looks anything up.</summary>
    /// <exception cref="PasswordsBusyException">The queue is full.</exception>
    public void ThrowIfBusy()
    {
        if (work.Reader.Count >= MaxWaiting)
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
                // Unhandled on this thread, it would end the process.
                done.SetException(e);
            }
        }
    }

    void Work()
    {
        // On Linux the runtime ignores thread priorities; for setpriority, id 0 is the calling thread.
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
