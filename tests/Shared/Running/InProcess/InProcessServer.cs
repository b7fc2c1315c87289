using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Resources.Tests;

/// <summary>The server in the process of the tests, on a port of its own.</summary>
sealed class InProcessServer : TestServer
{
    /// <summary>A path of the tests, behind all that the server maps. Each request fails there.</summary>
    public const string FaultPath = "/test/fault";

    /// <summary>The message of that fault, which no client may see.</summary>
    public const string FaultSecret = "the password of the database";

    readonly Dictionary<string, string> settings;
    IHosted host = null!;

    InProcessServer(Dictionary<string, string> settings) => this.settings = settings;

    public override string ConnectionString => settings["ConnectionStrings:Resources"];

    public override Uri Address => host.Address;

    public IServiceProvider Services => host.Services;

    /// <summary>The server's clock.</summary>
    public TestClock Clock { get; } = new();

    /// <summary>The endpoint's name and the status of every answer so far.</summary>
    public ConcurrentDictionary<(string Endpoint, int Status), bool> Answered { get; } = new();

    /// <summary>The whole log, if the options set <c>Logging:LogLevel:Default</c>. Logs of clients are not in it.</summary>
    public ConcurrentQueue<string> Logs { get; } = new();

    /// <summary>The errors in the log.</summary>
    public ConcurrentQueue<string> Errors { get; } = new();

    public static InProcessServer Start(string connectionString, params (string Key, string Value)[] options) =>
        Start<Program>(connectionString, options);

    /// <summary>Starts an application that is the server with features of its own.</summary>
    /// <typeparam name="TProgram">A type of its assembly.</typeparam>
    public static InProcessServer Start<TProgram>(string connectionString, params (string Key, string Value)[] options)
        where TProgram : class
    {
        var server = new InProcessServer(
            Configure(connectionString, [("Logging:Console:LogLevel:Default", "None"), .. options])
        );
        var host = new Host<TProgram>(server);
        server.host = host;
        host.UseKestrel(0);
        host.StartServer();
        return server;
    }

    public override ValueTask DisposeAsync() => host.DisposeAsync();

    interface IHosted : IAsyncDisposable
    {
        Uri Address { get; }

        IServiceProvider Services { get; }
    }

    sealed class Host<TProgram>(InProcessServer server) : WebApplicationFactory<TProgram>, IHosted
        where TProgram : class
    {
        public Uri Address => ClientOptions.BaseAddress;

        protected override void ConfigureWebHost(IWebHostBuilder builder)
        {
            builder.UseEnvironment("Production");
            foreach (var (key, value) in server.settings)
                builder.UseSetting(key, value);
            var all = server.settings.ContainsKey("Logging:LogLevel:Default") ? server.Logs : null;
            builder.ConfigureServices(services =>
                services
                    .AddSingleton<TimeProvider>(server.Clock)
                    .AddSingleton<IStartupFilter>(new Probe(server.Answered))
                    .AddSingleton<ILoggerProvider>(new KeptLog(server.Errors, all))
            );
        }
    }

    /// <summary>Records the answers, and adds <see cref="FaultPath"/>.</summary>
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
                app.Map(FaultPath, branch => branch.Run(_ => throw new InvalidOperationException(FaultSecret)));
            };
    }
}
