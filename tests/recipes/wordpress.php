<?php
/**
 * Runs docs/recipes/commentsvc.php with stand-ins for the functions of WordPress that it calls.
 *
 * Standard input has the situation as JSON: `url`, `secret`, `post` (fields of the article), `user` (null or its fields),
 * `down` (whether requests fail). Standard output has what WordPress would get, as JSON.
 */

$given = json_decode( stream_get_contents( STDIN ), true );
define( 'ABSPATH', '/' );
define( 'DAY_IN_SECONDS', 86400 );
define( 'COMMENTSVC_URL', $given['url'] );
define( 'COMMENTSVC_FRAGMENT', true );
define( 'COMMENTSVC_SSO_SECRET', $given['secret'] );

final class WP_Post {
	public $ID             = 7;
	public $post_type      = 'post';
	public $post_status    = 'publish';
	public $post_password  = '';
	public $comment_status = 'open';
}
final class WP_Error {
	public $data;
	public function __construct( $code, $words, $data ) {
		$this->data = $data;
	}
}
final class Died extends Exception {}

$post = new WP_Post();
foreach ( $given['post'] as $name => $value ) {
	$post->$name = $value;
}
$hooks      = array();
$transients = $given['transients'] ?? array();
$requests   = 0;
$scripts    = array();
$wp_query   = (object) array( 'posts' => array( $post ) );

function add_filter( $name, $act, $priority = 10, $count = 1 ) { $GLOBALS['hooks'][ $name ][] = array( $act, $count ); }
function add_action( $name, $act, $priority = 10, $count = 1 ) { add_filter( $name, $act, $priority, $count ); }
function apply_filters( $name, ...$values ) {
	foreach ( $GLOBALS['hooks'][ $name ] ?? array() as list( $act, $count ) ) {
		$values[0] = $act( ...array_slice( $values, 0, $count ) );
	}
	return $values[0];
}
function __return_false() { return false; }
function is_singular() { return true; }
function is_admin() { return false; }
function get_queried_object() { return $GLOBALS['post']; }
function get_post( $id ) { return $id === $GLOBALS['post']->ID || $id === $GLOBALS['post'] ? $GLOBALS['post'] : null; }
function is_post_publicly_viewable( $post ) { return 'publish' === $post->post_status; }
function get_comments_number( $post ) { return apply_filters( 'get_comments_number', 3, $post->ID ); }
function get_permalink( $post ) { return $GLOBALS['given']['article']; }
function get_the_title( $post ) { return $GLOBALS['given']['title']; }
function home_url() { return $GLOBALS['given']['home']; }
function wp_parse_url( $url ) { return parse_url( $url ); }
function untrailingslashit( $text ) { return rtrim( $text, '/' ); }
function esc_attr( $text ) { return htmlspecialchars( $text, ENT_QUOTES, 'UTF-8', false ); }
function esc_html( $text ) { return esc_attr( $text ); }
function esc_url( $text ) { return esc_attr( $text ); }
function esc_html__( $text ) { return esc_attr( $text ); }
function esc_attr__( $text ) { return esc_attr( $text ); }
function wp_strip_all_tags( $text ) { return strip_tags( $text ); }
function wp_json_encode( $data ) { return json_encode( $data ); }
function get_transient( $key ) { return $GLOBALS['transients'][ $key ] ?? false; }
function set_transient( $key, $value, $seconds ) { $GLOBALS['transients'][ $key ] = $value; }
function is_wp_error( $thing ) { return $thing instanceof WP_Error; }
function wp_remote_get( $url, $options ) {
	++$GLOBALS['requests'];
	$body = $GLOBALS['given']['down'] ? false : @file_get_contents( $url );
	return false === $body ? new WP_Error( 'http', 'No answer', array() ) : array( 'body' => $body );
}
function wp_remote_retrieve_response_code( $answer ) { return 200; }
function wp_remote_retrieve_body( $answer ) { return $answer['body']; }
function is_user_logged_in() { return null !== $GLOBALS['given']['user']; }
function wp_get_current_user() { return (object) $GLOBALS['given']['user']; }
function wp_enqueue_script( $name, $url, $needs, $version, $options ) { $GLOBALS['scripts'][] = $url; }
function nocache_headers() {}
function wp_die( $words, $title, $options ) { throw new Died( (string) $options['response'] ); }
function is_comment_feed() { return false; }
if ( ! function_exists( 'mb_substr' ) ) {
	function mb_substr( $text, $from, $length ) { return substr( $text, $from, $length ); }
}

/** Include a file as WordPress includes the template of comments; return what it prints. */
function printed_by( $path ) {
	ob_start();
	require $path;
	return ob_get_clean();
}

$plugin = dirname( __DIR__, 2 ) . '/docs/recipes/commentsvc.php';
require $plugin;

apply_filters( 'wp_enqueue_scripts', null );
$template = apply_filters( 'comments_template', '/theme/comments.php' );
try {
	apply_filters( 'preprocess_comment', array( 'comment_post_ID' => $post->ID ) );
	$refused = '';
} catch ( Died $error ) {
	$refused = $error->getMessage();
}
$rest = apply_filters( 'rest_pre_insert_comment', array( 'comment_post_ID' => $post->ID ) );
ob_start();
apply_filters( 'wp_head', null );
$head = ob_get_clean();
echo json_encode(
	array(
		'classic'    => $template === $plugin ? printed_by( $template ) : 'the theme\'s own',
		'block'      => apply_filters( 'pre_render_block', null, array( 'blockName' => 'core/comments' ) ),
		'form'       => apply_filters( 'pre_render_block', null, array( 'blockName' => 'core/post-comments-form' ) ),
		'paragraph'  => apply_filters( 'pre_render_block', null, array( 'blockName' => 'core/paragraph' ) ),
		'number'     => get_comments_number( $post ),
		'scripts'    => $scripts,
		'refused'    => $refused,
		'rest'       => is_wp_error( $rest ) ? $rest->data['status'] : 200,
		'pings'      => apply_filters( 'pings_open', true, $post->ID ),
		'head'       => $head,
		'requests'   => $requests,
		'transients' => $transients,
	)
);
