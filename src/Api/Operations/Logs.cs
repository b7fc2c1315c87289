using Microsoft.Extensions.Logging.Console;

namespace Resources.Api;

/// <summary>Logs: one line of JSON in production, short lines for people in Development.</summary>
public static class Logs
{
    public static void AddLogging(this WebApplicationBuilder builder) => Configure(builder.Logging, builder.Environment);

    /// <summary>A logger for what happens before the host is built.</summary>
    public static ILoggerFactory CreateStartupLogs(this WebApplicationBuilder builder) => LoggerFactory.Create(logging =>
    {
        logging.AddConfiguration(builder.Configuration.GetSection("Logging"));
        Configure(logging, builder.Environment);
    });

    static void Configure(ILoggingBuilder logging, IHostEnvironment environment)
    {
        logging.ClearProviders();
        if (environment.IsDevelopment()) logging.AddSimpleConsole(console => (console.SingleLine, console.TimestampFormat, console.ColorBehavior) = (true, "HH:mm:ss ", LoggerColorBehavior.Default));
        else logging.AddJsonConsole(console => (console.UseUtcTimestamp, console.TimestampFormat) = (true, "O"));
        logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("Orleans", LogLevel.Warning).AddFilter("Npgsql", LogLevel.Warning).AddFilter("Marten", LogLevel.Warning).AddFilter("JasperFx", LogLevel.Warning).AddFilter("Polly", LogLevel.Warning)
            .AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);
    }
}
