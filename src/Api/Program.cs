using Resources.Api;

return await Server.RunAsync(args, Server.Features);
