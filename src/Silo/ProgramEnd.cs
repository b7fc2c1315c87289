using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Npgsql;
using Orleans.Runtime;
using Resources.Grains;

namespace Resources.Silo;

/// <summary>How the process of a node ends: with a line that says why, and a code that says whether to try again.</summary>
public static class ProgramEnd
{
    /// <summary>Something is wrong that another start does not mend.</summary>
    public const int Faulty = 1;

    /// <summary>A later start may succeed: EX_TEMPFAIL of sysexits.h.</summary>
    public const int TryAgain = 75;

    /// <summary>Ended by Ctrl-C: 128 and the number of its signal, as shells say it.</summary>
    const int Interrupted = 130;

    /// <summary>
    /// Runs a program; an exception ends it in order. The first Ctrl-C or SIGTERM asks it to stop, also while it is still
    /// starting; a further Ctrl-C ends it at once.
    /// </summary>
    /// <param name="program">Is given the token that asks it to stop.</param>
    /// <returns>The exit code of the process.</returns>
    public static async Task<int> RunAsync(Func<CancellationToken, Task<int>> program)
    {
        using var stop = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => OnSignal(context, stop));
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => OnSignal(context, stop));
        try
        {
            return await program(stop.Token);
        }
        catch (Exception e)
        {
            var (line, code) = Explain(e);
            await Console.Error.WriteLineAsync(line);
            return code;
        }
    }

    static void OnSignal(PosixSignalContext context, CancellationTokenSource stop)
    {
        context.Cancel = true;
        if (!stop.IsCancellationRequested)
            stop.Cancel();
        else if (context.Signal is PosixSignal.SIGINT)
            // The embedded PostgreSQL ends with the node however that ends.
            Environment.Exit(Interrupted);
    }

    /// <summary>What to tell the operator. What nobody expected is told with its stack.</summary>
    static (string Line, int Code) Explain(Exception fault)
    {
        for (var e = fault; e is not null; e = e.InnerException)
            switch (e)
            {
                case ConfigurationException:
                    return (e.Message, Faulty);
                case OperationCanceledException:
                    return ("The node was stopped before it was ready.", TryAgain);
                case PostgresException { SqlState: "28P01" or "28000" } refused:
                    return (
                        $"PostgreSQL refuses the account: {refused.MessageText}. "
                            + "Check the user and the password in ConnectionStrings__Resources.",
                        Faulty
                    );
                case PostgresException { SqlState: "3D000" } missing:
                    return (
                        $"PostgreSQL says: {missing.MessageText}. "
                            + "Create the database, or name another one in ConnectionStrings__Resources.",
                        Faulty
                    );
                case PostgresException { SqlState: "42501" } lacking:
                    return (
                        $"The account lacks a right in PostgreSQL: {lacking.MessageText}. docs/OPERATIONS.md lists the rights.",
                        Faulty
                    );
                case PostgresException { SqlState: "53300" }:
                    return (
                        "PostgreSQL has no connection left. Raise its max_connections, or lower Database__MaxPoolSize.",
                        TryAgain
                    );
                case PostgresException { SqlState: "53100" }:
                    return ("The disk of PostgreSQL is full.", TryAgain);
                case PostgresException refused when StoreUnavailableException.Explains(refused):
                    return ($"PostgreSQL is not available: {refused.MessageText}.", TryAgain);
                case StoreUnavailableException:
                    return (e.Message, TryAgain);
                case AddressInUseException or SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse }:
                    return (
                        $"{e.Message}. Another program uses the port; "
                            + "set ASPNETCORE_URLS, Cluster__SiloPort or Cluster__GatewayPort to other ones.",
                        Faulty
                    );
                case NpgsqlException or SocketException or TimeoutException:
                    return (
                        $"PostgreSQL cannot be reached: {fault.GetBaseException().Message.TrimEnd('.')}. "
                            + "Check ConnectionStrings__Resources.",
                        TryAgain
                    );
                case IOException or UnauthorizedAccessException:
                    return (e.Message, Faulty);
            }
        return ($"The node has ended for a reason that nobody expected; please report it.\n{fault}", Faulty);
    }
}

/// <summary>
/// Ends a node that the cluster has declared dead, as after a long pause: in order, and not by a dump of the process. A
/// supervisor starts it again.
/// </summary>
sealed class DeclaredDead(ILogger<DeclaredDead> logger) : IFatalErrorHandler
{
    public bool IsUnexpected(Exception exception) =>
        exception is not (OperationCanceledException or ObjectDisposedException);

    public void OnFatalException(object? sender, string? context, Exception? exception)
    {
        logger.LogCritical("This node ends: {Reason}", exception?.Message ?? context);
        // On another thread: the caller may hold what the end of the process waits for.
        ThreadPool.QueueUserWorkItem(_ => Environment.Exit(ProgramEnd.TryAgain));
        Thread.Sleep(Timeout.Infinite);
    }
}
