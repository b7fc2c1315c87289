using System.Diagnostics;

namespace Resources.Tests;

/// <summary>Signals to processes that this run has started.</summary>
internal static class ProcessSignal
{
    public static async Task SendAsync(string name, params int[] processes)
    {
        using var kill = Process.Start("kill", ["-s", name, .. processes.Select(id => $"{id}")]);
        await kill.WaitForExitAsync();
    }
}
