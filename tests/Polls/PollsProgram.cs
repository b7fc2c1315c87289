using Resources.Api;

namespace Resources.Polls;

/// <summary>The server with one more feature: polls.</summary>
public sealed class PollsProgram
{
    public static Task<int> Main(string[] args) => Server.RunAsync(args, [.. Server.Features, new PollsFeature()]);
}
