using System.Diagnostics.Metrics;
using Npgsql;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Api;

/// <summary>
/// Metrics for Prometheus always; traces, metrics and logs by OTLP when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> says where.
/// </summary>
public static class Telemetry
{
    const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    public static void AddTelemetry(this WebApplicationBuilder builder, Settings settings)
    {
        var endpoint = builder.Configuration[Endpoint];
        var exports = !string.IsNullOrEmpty(endpoint);
        settings.Ensure(
            !exports || Uri.TryCreate(endpoint, UriKind.Absolute, out var url) && url.Scheme is "http" or "https",
            $"{Endpoint}: is not a URL such as http://localhost:4317."
        );
        var telemetry = builder
            .Services.AddOpenTelemetry()
            .ConfigureResource(resource =>
                resource.AddService(
                    "resources",
                    serviceInstanceId: Environment.MachineName + ":" + Environment.ProcessId
                )
            )
            .WithMetrics(metrics =>
                metrics
                    .AddMeter(
                        "Microsoft.AspNetCore.Hosting",
                        "Microsoft.AspNetCore.Server.Kestrel",
                        "Microsoft.Orleans",
                        "Npgsql",
                        "Marten",
                        EventLog.Activities.Name,
                        GraphTelemetry.Activities.Name,
                        Followers.Meter.Name
                    )
                    .AddRuntimeInstrumentation()
                    .AddPrometheusExporter()
            );
        // A process may have several nodes. Each shows its own figures, and those of the process.
        builder.Services.ConfigureOpenTelemetryMeterProvider(
            (services, metrics) =>
            {
                var own = services.GetRequiredService<IMeterFactory>();
                metrics.AddView(instrument =>
                    instrument.Meter.Scope is { } scope && scope != own ? MetricStreamConfiguration.Drop : null
                );
            }
        );
        if (!exports)
            return;
        telemetry
            .WithTracing(tracing =>
                tracing
                    .AddAspNetCoreInstrumentation()
                    .AddNpgsql()
                    .AddSource(
                        "Microsoft.Orleans.Application",
                        "Microsoft.Orleans.Runtime",
                        "Marten",
                        EventLog.Activities.Name,
                        GraphTelemetry.Activities.Name
                    )
                    .AddOtlpExporter()
            )
            .WithMetrics(metrics => metrics.AddOtlpExporter())
            .WithLogging(logging => OpenTelemetry.Logs.OtlpLogExporterHelperExtensions.AddOtlpExporter(logging));
    }

    public static void MapMetrics(this IEndpointRouteBuilder app) =>
        app.MapPrometheusScrapingEndpoint("/metrics").AllowAnonymous().WithMetadata(new Unlimited());
}
