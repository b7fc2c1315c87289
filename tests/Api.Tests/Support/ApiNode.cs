using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Resources.Api.Tests;

/// <summary>The real program in this process, on a port of its own, as production configures it.</summary>
sealed class ApiNode : WebApplicationFactory<Program>
{
    public const string AdminEmail = "admin@example.org";
    public const string AdminPassword = "the first of all passwords";

    /// <summary>
    /// A path that a test has added; whatever is sent there fails with <see cref="Secret"/> in the fault.
    /// </summary>
    public const string FaultPath = "/test/fault";
    public const string Secret = "the password of the database";

    readonly Dictionary<string, string> settings;

    /// <summary>The node's database.</summary>
    public string ConnectionString => settings["ConnectionStrings:Resources"];

    public ApiNode(string connectionString, params (string Key, string Value)[] options)
    {
        settings = new()
        {
            ["ConnectionStrings:Resources"] = connectionString,
            ["Secrets:MasterKey"] = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)),
            ["Bootstrap:AdminEmail"] = AdminEmail,
            ["Bootstrap:AdminPassword"] = AdminPassword,
            ["Cluster:ClusterId"] = Guid.NewGuid().ToString("n"),
            ["Logging:Console:LogLevel:Default"] = "None",
            ["Shutdown:DrainSeconds"] = "0",
            ["RateLimits:Default:Permits"] = "1000000000",
            ["RateLimits:Login:Permits"] = "1000000000",
            ["RateLimits:LoginAccount:Permits"] = "1000000000",
            ["RateLimits:Mfa:Permits"] = "1000000000",
            ["RateLimits:Reset:Permits"] = "1000000000",
            ["RateLimits:Streams:Permits"] = "1000000000",
            ["Tokens:AccessMinutes"] = "60",
        };
        foreach (var (key, value) in options)
            settings[key] = value;
        UseKestrel(0);
        StartServer();
    }

    /// <summary>Where the node listens.</summary>
    public Uri Address => ClientOptions.BaseAddress;

    /// <summary>The node's clock.</summary>
    public TestClock Clock { get; } = new();

    /// <summary>Every answer that the node has given: the endpoint's name and the status.</summary>
    public ConcurrentDictionary<(string Endpoint, int Status), bool> Answered { get; } = new();

    /// <summary>
    /// Everything that the node has logged, where <c>Logging:LogLevel:Default</c> asks for all; what its client logs is
    /// not among it.
    /// </summary>
    public ConcurrentQueue<string> Logs { get; } = new();

    /// <summary>What the node has logged as errors.</summary>
    public ConcurrentQueue<string> Errors { get; } = new();

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        builder.UseEnvironment("Production");
        foreach (var (key, value) in settings)
            builder.UseSetting(key, value);
        builder.ConfigureServices(services =>
            services
                .AddSingleton<TimeProvider>(Clock)
                .AddSingleton<IStartupFilter>(new Probe(Answered))
                .AddSingleton<ILoggerProvider>(
                    new KeptLog(Errors, settings.ContainsKey("Logging:LogLevel:Default") ? Logs : null)
                )
        );
    }

    /// <summary>
    /// Notes what is answered, and fails where a test asks for it, behind all that the program itself maps.
    /// </summary>
    sealed class Probe(ConcurrentDictionary<(string, int), bool> answered) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) =>
            app =>
            {
                app.Use(
                    async (HttpContext context, RequestDelegate rest) =>
                    {
                        await rest(context);
                        if (context.GetEndpoint()?.Metadata.GetMetadata<IEndpointNameMetadata>() is { } name)
                            answered.TryAdd((name.EndpointName, context.Response.StatusCode), true);
                    }
                );
                next(app);
                app.Map(FaultPath, branch => branch.Run(_ => throw new InvalidOperationException(Secret)));
            };
    }

    sealed class KeptLog(ConcurrentQueue<string> errors, ConcurrentQueue<string>? all) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => all is not null || logLevel >= LogLevel.Error;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            var text = $"{formatter(state, exception)} {exception}";
            if (logLevel >= LogLevel.Error)
                errors.Enqueue(text);
            all?.Enqueue(
                text
                    + (
                        state is IEnumerable<KeyValuePair<string, object?>> parts
                            ? string.Join(' ', parts.Select(part => $"{part.Key}={part.Value}"))
                            : ""
                    )
            );
        }

        public void Dispose() { }
    }
}

/// <summary>The system's clock, put forward.</summary>
sealed class TestClock : TimeProvider
{
    public TimeSpan Ahead { get; set; }

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Ahead;
}

/// <summary>
/// Tests that start nodes beside the shared one, in turn: gauges of one process are shared, and show the node that
/// began last.
/// </summary>
[CollectionDefinition(Name)]
public sealed class MoreNodes
{
    public const string Name = "more nodes";
}
