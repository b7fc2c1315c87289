using System.Diagnostics;

namespace Resources.Tests;

/// <summary>Signals to processes that this run has started, and whether they still run.</summary>
internal static class ProcessSignal
{
    public static async Task SendAsync(string name, params int[] processes)
    {
        using var kill = Process.Start("kill", ["-s", name, .. processes.Select(id => $"{id}")]);
        await kill.WaitForExitAsync();
    }

    /// <summary>Whether a process, which need not be a child, still runs.</summary>
    public static bool IsAlive(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
