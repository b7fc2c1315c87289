using System.ComponentModel.DataAnnotations;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using Resources.Grains;

namespace Resources.Api;

/// <summary>Section <c>Passwords</c>.</summary>
public sealed class PasswordOptions
{
    /// <summary>Threads that hash passwords. They bound the processor time of all the node's logins together.</summary>
    [Range(1, 256)]
    public int HashThreads { get; set; } = Math.Max(1, Environment.ProcessorCount / 2);
}

/// <summary>The outcome of a password check.</summary>
public enum PasswordCheck
{
    Wrong,
    Right,

    /// <summary>Right, but its hash is weaker than today's.</summary>
    RightButOld,
}

/// <summary>The queue of passwords to hash has no place for the caller.</summary>
public sealed class PasswordsBusyException()
    : ProblemException(ProblemType.LoginBusy, "Too many passwords are being checked. Try again in a moment.");

/// <summary>
/// Hashes and verifies passwords: 15 to 128 characters of any kind, normalised to Unicode NFC and hashed with
/// PBKDF2-SHA512. Hashing is slow by design, so it runs on its own low-priority threads behind a bounded, fair queue.
/// </summary>
public sealed class Passwords : IDisposable
{
    public const int MinLength = 15;
    public const int MaxLength = 128;

    /// <summary>ASVS 5.0, appendix C asks for 210,000 or more with SHA-512.</summary>
    const int Rounds = 220_000;

    const int LowPriority = 10;

    readonly PasswordHasher<object> hasher = new(Options.Create(new PasswordHasherOptions { IterationCount = Rounds }));
    readonly HashQueue queue = new();
    readonly string nobody;

    public Passwords(PasswordOptions options)
    {
        nobody = hasher.HashPassword(this, Guid.CreateVersion7().ToString());
        for (var i = 0; i < options.HashThreads; i++)
            new Thread(Work) { IsBackground = true, Name = "password hashing" }.Start();
    }

    /// <exception cref="PasswordsBusyException">The queue is full.</exception>
    public Task<string> HashAsync(string password, HashCaller caller) =>
        RunAsync(caller, () => hasher.HashPassword(this, UnicodeForms.Compose(password)));

    /// <summary>
    /// Whether a password matches a hash. Without a hash, as for an unknown account, the check takes the same time.
    /// </summary>
    /// <exception cref="PasswordsBusyException">The queue is full.</exception>
    public Task<PasswordCheck> VerifyAsync(string? hash, string password, HashCaller caller) =>
        RunAsync(caller, () => hasher.VerifyHashedPassword(this, hash ?? nobody, UnicodeForms.Compose(password)) switch
            {
                PasswordVerificationResult.Success when hash is not null => PasswordCheck.Right,
                PasswordVerificationResult.SuccessRehashNeeded when hash is not null => PasswordCheck.RightButOld,
                _ => PasswordCheck.Wrong,
            });

    /// <summary>Throws early if the queue is full, before anything is looked up for the caller.</summary>
    /// <exception cref="PasswordsBusyException">The queue is full.</exception>
    public void ThrowIfBusy(HashCaller caller)
    {
        if (queue.IsFullFor(caller))
            throw new PasswordsBusyException();
    }

    public void Dispose() => queue.End();

    Task<T> RunAsync<T>(HashCaller caller, Func<T> hash)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        queue.Add(caller, new(Run, () => done.SetException(new PasswordsBusyException())));
        return done.Task;

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
        while (queue.Take() is { } job)
            job.Run();
    }

    [DllImport("libc", EntryPoint = "setpriority"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int SetPriority(int which, int who, int priority);
}
