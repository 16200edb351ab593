using System.Diagnostics;
using System.Net;
using DeviceHub.Tests;

namespace DeviceHub.IntegrationTests.Server;

/// <summary>Keys of programs, from their making to their end.</summary>
public sealed class ApiKeyTests(ServerHub hub) : IClassFixture<ServerHub>
{
    [Fact]
    public async Task Key_is_shown_once_and_listed_by_its_first_characters()
    {
        var (key, id) = await ServerHub.CreateKey(hub.Admin, "read");
        Assert.StartsWith("dhk_", key, StringComparison.Ordinal);
        Assert.Equal(47, key.Length);
        var list = await hub.Admin.Get("/api/v1/api-keys");
        var listed = list.GetProperty("items").EnumerateArray().Single(k => k.GetProperty("id").GetString() == id);
        Assert.Equal(key[..8], listed.GetProperty("startsWith").GetString());
        Assert.DoesNotContain(key, list.GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain(key, (await hub.Admin.Get("/api/v1/audit")).GetRawText(), StringComparison.Ordinal);
        foreach (var file in Directory.GetFiles(hub.Folder, "hub*.db*"))
        {
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var bytes = new MemoryStream();
            await stream.CopyToAsync(bytes);
            Assert.True(bytes.ToArray().AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(key)) < 0, $"{file} holds the key");
        }
    }

    [Fact]
    public async Task Revoked_key_opens_nothing_from_then_on()
    {
        var (key, id) = await ServerHub.CreateKey(hub.Admin, "read");
        await hub.WithKey(key).Get("/api/v1/payments");
        await hub.Admin.Post($"/api/v1/api-keys/{id}/revoke", null, HttpStatusCode.NoContent);
        await hub.Admin.Post($"/api/v1/api-keys/{id}/revoke", null, HttpStatusCode.NoContent);
        await hub.WithKey(key).Get("/api/v1/payments", HttpStatusCode.Unauthorized);
        var revoked = Assert.Single(await hub.Audit("api-key.revoke", "api-key:" + id));
        Assert.Contains("revoked", revoked.GetProperty("after").GetString(), StringComparison.Ordinal);
        await hub.Admin.Post("/api/v1/api-keys/none/revoke", null, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Wrong_key_is_answered_late_and_counted()
    {
        var before = await Metrics.Value(hub.Admin, "server_wrong_credentials_total", "kind=\"api-key\"");
        foreach (var wrong in (string[])["dhk_" + new string('b', 43), "short", ""])
        {
            var from = Stopwatch.GetTimestamp();
            using var answer = await hub.Anonymous().Send(HttpMethod.Get, "/api/v1/payments", null, ("X-Api-Key", wrong));
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            Assert.True(Stopwatch.GetElapsedTime(from) >= TimeSpan.FromMilliseconds(195));
        }

        await Eventually.Holds(async () => await Metrics.Value(hub.Admin, "server_wrong_credentials_total", "kind=\"api-key\"") >= before + 3, "they are counted");
    }

    [Fact]
    public async Task Wrong_fields_are_named()
    {
        var post = HttpMethod.Post;
        const string Path = "/api/v1/api-keys";
        Assert.Equal(["name", "scopes"], await hub.Admin.Faults(post, Path, new { }));
        Assert.Equal(["scopes"], await hub.Admin.Faults(post, Path, new { name = "a", scopes = new[] { "root" } }));
        Assert.Equal(["expires"], await hub.Admin.Faults(post, Path, new { name = "a", scopes = new[] { "read" }, expires = "2020-01-01T00:00:00Z" }));
        Assert.Equal(["merchantId"], await hub.Admin.Faults(post, Path, new { name = "a", scopes = new[] { "charge" } }));
        Assert.Equal(["merchantId"], await hub.Admin.Faults(post, Path, new { name = "a", scopes = new[] { "read" }, merchantId = "m1" }));
        Assert.Equal(["merchantId"], await hub.Admin.Faults(post, Path, new { name = "a", scopes = new[] { "charge", "read" }, merchantId = "m1" }));
        await hub.Admin.Post(Path, new { name = "a", scopes = new[] { "charge" }, merchantId = "m1" }, HttpStatusCode.Conflict);
        Assert.Equal(["scope"], await hub.Admin.Faults(post, Path, new { name = "a", scope = "read" }));
        Assert.Equal(["expires"], await hub.Admin.Faults(post, Path, new { name = "a", scopes = new[] { "read" }, expires = "soon" }));
        Assert.Equal(["body"], await hub.Admin.Faults(post, Path, new StringContent("{", System.Text.Encoding.UTF8, "application/json")));
        Assert.Equal(["body"], await hub.Admin.Faults(post, Path));
        await hub.Admin.Post(Path, new StringContent("name=a", System.Text.Encoding.UTF8, "text/plain"), HttpStatusCode.UnsupportedMediaType);
        await hub.Admin.Post(Path, new { name = new string('x', 300_000) }, HttpStatusCode.RequestEntityTooLarge);
    }
}
